/**
 * The library's interface: a CLIP on a device and everything that is done with it, in its users' terms (images, texts, classes,
 * prompts). Thin: results come from the functions that the command line calls, and most commands call these classes. `model-source`
 * (what a CLIP is made of), `clip-model` (embedding, zero-shot, tuning), `tuned-prompts` (predicting, reading, saving).
 */
export { ClipModel, type ClipModelOptions, DEFAULT_MEMORY, type EmbedOptions, type TuneRequest } from './clip-model.js';
export {
  hashWeights,
  type ModelFiles,
  type ModelSource,
  modelIdentity,
  openModel,
  requireSameModel,
} from './model-source.js';
export { type Predictions, predictionsOf, similarities } from './predictions.js';
export { learnedTensors, TunedPrompts, textOfPrompts } from './tuned-prompts.js';
