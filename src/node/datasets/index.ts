/**
 * Data sets on disk. `openDataset` is the one way in: `detect` (which setting), then a layout's reader (`folders`, `published-lists`,
 * `manifest`; by name in `layouts`), `class-list` (which classes), and the splits of `src/ptdpc/datasets/` where none is published.
 * `checkDataset` reads one in the same way and says what it found: counts, and which files are `left-out`; `duplicates` and `unreadable` look into the images themselves.
 */

export { classWord } from '../../ptdpc/datasets/index.js';
export { checkDataset, type DatasetCheck } from './check-dataset.js';
export { detectSetting } from './detect.js';
export { type DuplicateImage, duplicateImages, isHarmful } from './duplicates.js';
export { LEFT_OUT_REASONS, type LeftOut, type LeftOutReason } from './left-out.js';
export { type DatasetOptions, openDataset } from './open-dataset.js';
export { type DecodedImages, decodeImages } from './unreadable.js';
