/**
 * The library's front: a CLIP on a device with all that is done with it, in the terms of its users (pictures, texts, classes,
 * prompts). Thin: the numbers come from the functions that the command line calls, and most commands call these classes. `model-source`
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
export { TunedPrompts, textOfPrompts } from './tuned-prompts.js';
