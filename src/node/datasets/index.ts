/**
 * Data sets on disk, read by `src/ptdpc/datasets/` through a `diskFolder`; `duplicates` and `unreadable` look into the images
 * themselves.
 */
export type { DatasetCheck, DatasetOptions } from '../../ptdpc/datasets/index.js';
export { checkDataset, diskFolder, openDataset } from './disk-folder.js';
export { type DuplicateImage, duplicateImages, isHarmful } from './duplicates.js';
export { type DecodedImages, decodeImages } from './unreadable.js';
