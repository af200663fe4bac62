/**
 * Data sets of image emotion classification, described without touching a file: `settings` (what is published), `dataset` (what
 * reading one gives), `folder-names` (what names mean), `seeded-split` (where no split is published), `expected` (how far a copy is from what is published), `tally` (images
 * by class and split).
 */
export * from './dataset.js';
export { countWarnings } from './expected.js';
export * from './folder-names.js';
export { type Shares, type Splittable, seededFold, seededSplit } from './seeded-split.js';
export * from './settings.js';
export * from './tally.js';
