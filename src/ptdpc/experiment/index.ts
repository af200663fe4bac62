/**
 * The paper's experiments. In reading order: `paper-tables` (the values that it prints), `variants` and `experiments` (rows and
 * columns), `plan` (what to compute, as independent tasks), `estimate` (how long that takes), `task-share` (which of them a process does),
 * `statistics` and `collect` (from tasks to results), `results` (the format of results.json), `json-files` (reading both formats),
 * `tables` (the contents of tables), `setting-facts` (the facts about their data), and `document` (warnings; Markdown and LaTeX).
 */

export * from '../metrics.js';
export { collectExperiment } from './collect.js';
export {
  DEMONSTRATION,
  imageWarnings,
  latexReport,
  markdownReport,
  type ResultDocument,
  resultDocument,
} from './document.js';
export * from './estimate.js';
export { type Experiment, experiment } from './experiments.js';
export { MOST_SEEDS, parsePlan, parseResults } from './json-files.js';
export * from './paper-tables.js';
export * from './plan.js';
export type { TaskResult } from './results.js';
export * from './results.js';
export * from './statistics.js';
export { type Cell, effectWords, type ResultTable, resultTables } from './tables.js';
export { type ShareOptions, shareOf, type TaskShare, taskShare } from './task-share.js';
export * from './variants.js';
