/**
 * Verifies that a checkpoint is intact and the expected one: `check-weights` inspects its numbers, `reproduce` compares a
 * model's outputs with published ones.
 */

export { checkNumbers, checkWeights } from './check-weights.js';
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
