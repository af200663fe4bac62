/**
 * Studies of learners. In reading order: `study` (a study's file), `rows` (learners with their options), `plan` (what to compute, as independent
 * tasks), `collect` (from tasks to results) and `results` (what a study found).
 */
export * from './collect.js';
export * from './plan.js';
export * from './results.js';
export * from './rows.js';
export * from './study.js';
