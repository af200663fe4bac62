/**
 * Labelled images in splits, from a folder (`data-folder`: of a file system, or as a browser has it). `open-dataset` is the way in: `detect`
 * (which setting), then a layout's reader (`folders`, `published-lists`, `manifest`; by name in `layouts`), `class-list` (which classes),
 * and `seeded-split` if there is no split. `check-dataset` counts the result and says which files are `left-out`; `settings` has
 * the published data sets, `dataset` what all of this ends in.
 */
export { checkReadDataset, type DatasetCheck } from './check-dataset.js';
export type { DataFolder, FolderEntry } from './data-folder.js';
export * from './dataset.js';
export { detectSetting } from './detect.js';
export { countWarnings } from './expected.js';
export * from './folder-names.js';
export type { ImageList, ListedImage, Omitted } from './image-list.js';
export { LEFT_OUT_REASONS, type LeftOut, type LeftOutReason } from './left-out.js';
export { filesBelow, foldersIn, type WalkedFile } from './listing.js';
export { isManifestName } from './manifest.js';
export { type DatasetOptions, type ReadDataset, readDataset } from './open-dataset.js';
export { type Shares, type Splittable, seededFold, seededSplit } from './seeded-split.js';
export * from './settings.js';
export * from './tally.js';
