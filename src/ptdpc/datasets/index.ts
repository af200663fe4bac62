/**
 * Labelled images in splits, from a folder (`data-folder`: of a file system, or as a browser has it). `open-dataset` is the way in: `detect`
 * (which setting), then the reader of its layout (`folders`, `published-lists`, a manifest; by name in `layouts`), and `seeded-split` if
 * there is no split; `few-shot` keeps a few images of each class. `check-dataset` counts the result and lists what is left out; `settings` has
 * the published data sets, `dataset` the result's type.
 */

export * from './check-dataset.js';
export { type DataFolder, type FolderEntry, filesBelow, foldersIn, type WalkedFile } from './data-folder.js';
export * from './dataset.js';
export { fewShots } from './few-shot.js';
export * from './folder-names.js';
export { detectSetting } from './layouts.js';
export { type ImageList, isManifestName, type ListedImage, type Omitted } from './listed-images.js';
export { countWarnings, type DatasetOptions, type ReadDataset, readDataset } from './open-dataset.js';
export { type Shares, type Splittable, seededFold, seededSplit } from './seeded-split.js';
export * from './settings.js';
