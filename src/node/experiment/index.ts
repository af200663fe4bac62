/**
 * The paper's experiments on disk and device. In reading order: `make-plan`, `estimate-plan` (how long it takes), `plan-folder` (who computes what), `run-plan` (a process's share of the
 * tasks), `context` (what its tasks share), `setting-data` and `features` (its images), `tune-task` (its training).
 */
export { estimatePlan } from './estimate-plan.js';
export { makePlan, type PlanRequest } from './make-plan.js';
export { PlanFolder } from './plan-folder.js';
export { type RunPlanOptions, runPlan } from './run-plan.js';
