/**
 * Is this checkpoint sound, and the one that it should be? `check-weights` looks at the numbers, `reproduce` compares a
 * model with numbers that others published.
 */

export { checkWeights } from './check-weights.js';
export {
  type Check,
  type Deviation,
  deviations,
  failed,
  type LoadedTowers,
  notRun,
  OPENAI_VIT_B32,
  passed,
  type ReferenceNumbers,
} from './reproduce.js';
