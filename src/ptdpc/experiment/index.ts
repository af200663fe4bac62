/**
 * The paper's experiments. In reading order: `paper-tables` (the figures that it prints), `variants` and `experiments` (rows and
 * columns), `plan` (what to compute, as independent tasks), `estimate` (how long that takes), `task-share` (which of them a process takes), `task-result`,
 * `statistics` and `collect` (from tasks to results), `results` (the format of results.json), `json-files` (reading both formats),
 * `tables` (what a table says), `setting-facts` (of its data), `document` (with what warnings), and `markdown` and `latex`.
 */

export * from '../metrics.js';
export { collectExperiment } from './collect.js';
export { DEMONSTRATION, imageWarnings, type ResultDocument, resultDocument } from './document.js';
export * from './estimate.js';
export { type Experiment, experiment } from './experiments.js';
export { MOST_SEEDS, parsePlan, parseResults } from './json-files.js';
export { latexReport } from './latex.js';
export { markdownReport } from './markdown.js';
export * from './paper-tables.js';
export * from './plan.js';
export * from './results.js';
export * from './statistics.js';
export { type Cell, effectWords, type ResultTable, resultTables } from './tables.js';
export type { TaskResult } from './task-result.js';
export { type ShareOptions, shareOf, type TaskShare, taskShare } from './task-share.js';
export * from './variants.js';
