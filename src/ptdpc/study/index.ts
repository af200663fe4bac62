/**
 * Studies of learners. In reading order: `study` (a study's file), `rows` (learners with their options), `plan` (what to compute, as independent
 * tasks), `collect` (from tasks to results), `results` (what a study found), `leaderboard` (ranking, paired tests, gains), `tables` and `document`
 * (Markdown, LaTeX, CSV), and `results-file` (results.json).
 */
export * from './collect.js';
export * from './document.js';
export * from './leaderboard.js';
export * from './plan.js';
export * from './results.js';
export * from './results-file.js';
export * from './rows.js';
export * from './study.js';
export * from './tables.js';
