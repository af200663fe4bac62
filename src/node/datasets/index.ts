/**
 * Data sets on disk. `openDataset` is the one way in: `detect` (which setting), then a layout's reader (`folders`, `published-lists`,
 * `manifest`), `class-list` (which classes), and the splits of `src/ptdpc/datasets/` where none is published.
 */
export { classWord } from './class-list.js';
export { detectSetting } from './detect.js';
export { type DatasetOptions, openDataset } from './open-dataset.js';
