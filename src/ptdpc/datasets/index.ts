/**
 * Data sets of image emotion classification, described without touching a file: `settings` (what is published), `dataset` (what
 * reading one gives), `seeded-split` (where no split is published), `expected` (how far a copy is from what is published), `tally` (images
 * by class and split).
 */
export * from './dataset.js';
export { countWarnings } from './expected.js';
export { type Shares, type Splittable, seededFold, seededSplit } from './seeded-split.js';
export * from './settings.js';
export * from './tally.js';
