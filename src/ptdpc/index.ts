/**
 * PT-DPC: prompt tuning with diversified prompt composition. In reading order: `options`, `prompt-text` (tokens), `forest` (layout of
 * rows), `prompt-model` (Eq. 3 to logits), `step` and `budget` (gradient of a batch), `train`, `evaluate`; then `library/` (the API for
 * users), `zero-shot`, `linear-probe` (Table 4's baselines), `explain` (what prompts have learned),
 * `forward-explanation` (every step from a feature to the probabilities), and the files of a run.
 */
export { mebibytes } from './budget.js';
export {
  type ClassCounts,
  type Confusion,
  type ConfusionMatrix,
  type ConfusionPair,
  type ConfusionPairs,
  classCounts,
  confusionMatrix,
  confusionPairs,
} from './confusion.js';
export * from './datasets/index.js';
export { callsOf, prepareDevice } from './dry-run.js';
export { type EncodedPixels, encodePixels, imagesPerBatch, textScorer } from './encode.js';
export * from './evaluate.js';
export * from './explain.js';
export { promptWeights } from './explain.js';
export { allFinite, NonFiniteError, normalizedFeatures } from './features.js';
export {
  changedPrompts,
  explainForward,
  type ForwardExplanation,
  type PromptsChange,
} from './forward-explanation.js';
export type { Guide } from './guide.js';
export {
  DISTRIBUTION_MEASURE_NAMES,
  DISTRIBUTION_MEASURES,
  type DistributionMeasure,
  type DistributionMeasureName,
  type DistributionScores,
  distributionScores,
  type MeanShares,
  stackedDistributions,
  type Votes,
} from './label-distributions.js';
export { type LabelledFeatures, requireVotes } from './labelled-features.js';
export type { LearnedModel } from './learned-numbers.js';
export { bestRate, holdOut, type RateChoice } from './learning-rate.js';
export * from './library/index.js';
export * from './linear-probe.js';
export {
  balancedAccuracy,
  type CalibrationBin,
  type ClassMetrics,
  calibration,
  classesWithoutImages,
  classMetrics,
  expectedCalibrationError,
  macroF1,
  pooledCalibration,
  rowShares,
  wilsonInterval,
} from './metrics.js';
export * from './nearest-words.js';
export * from './options.js';
export {
  type ComparedPair,
  type ComparedSeeds,
  comparePaired,
  comparePairs,
  compareSeeds,
  correctness,
  exactMcNemar,
  exactSignFlip,
  holmAdjusted,
  type PairedComparison,
} from './paired-comparison.js';
export { predictionLines, predictionsCsv } from './predictions-csv.js';
export {
  type ClassRange,
  type ForwardOptions,
  type ForwardPass,
  type LearnedStart,
  PromptModel,
  type PromptModelOptions,
} from './prompt-model.js';
export { type InitOptions, initialPrompts, type PromptLayout, type PromptText, promptText } from './prompt-text.js';
export {
  type AnyPromptsFile,
  type ClassName,
  decodePrompts,
  encodePrompts,
  isClassList,
  type NamedTensor,
  type PromptsFile,
  ptDpcPrompts,
  safetensorsBytes,
} from './prompts-file.js';
export {
  accumulateGradient,
  type BatchResult,
  predictLogits,
  requireTrainingMemory,
  type StartedBatch,
  sharedTextFeatures,
} from './step.js';
export * from './train.js';
export * from './training-options.js';
export { decodeTrainingState, encodeTrainingState } from './training-state-file.js';
export { anchorsOf, classFeatures, classText, zeroShotLogits, zeroShotTexts } from './zero-shot.js';
