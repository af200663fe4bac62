/**
 * Is this checkpoint sound, and the one that it should be? `check-weights` looks at the numbers, `reference-numbers` has what
 * others published, `reproduce` holds a model against them.
 */
export { type Check, failed, notRun, passed } from './check.js';
export { checkWeights } from './check-weights.js';
export { OPENAI_VIT_B32, type ReferenceNumbers } from './reference-numbers.js';
export { type Deviation, deviations, type LoadedTowers } from './reproduce.js';
