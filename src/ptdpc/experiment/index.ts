/**
 * The paper's experiments: `paper-tables` (the figures it prints), `statistics` (mean, deviation, interval over seeds), `results` (the
 * format of results.json).
 */
export * from './paper-tables.js';
export * from './results.js';
export * from './statistics.js';
