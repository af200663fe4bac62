/**
 * Studies of learners on disk and device. In reading order: `make-study`, `study-folder` (who computes what), `run-study` (a process's share),
 * `study-task` (one task), `epoch-log` and `metered-backend` (what a training leaves behind), `on-test` and `task-files`.
 */
export { makeStudy, type StudyRequest } from './make-study.js';
export { type RunStudyOptions, runStudy } from './run-study.js';
export { StudyFolder } from './study-folder.js';
