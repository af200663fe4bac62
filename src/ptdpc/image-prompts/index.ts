/** Learned tokens in the image tower: VPT and MaPLe. */
export { decodeImagePrompts, encodeImagePrompts, type ImagePromptsFile } from './file.js';
export { learnedShapes, learnedStart, mapleText, type TowerWidths, towerPrompts } from './learned.js';
export { ImagePromptModel, learnedParameters } from './model.js';
export {
  type ImagePlan,
  type PixelBatch,
  planImages,
  predictImages,
  requireImageMemory,
  startImageGradient,
} from './step.js';
export { allTextFeatures, type ClassTexts, FixedTexts, LearnedTexts } from './texts.js';
