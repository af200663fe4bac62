/** Model configurations: sizes and options of CLIPs and vision transformers, how they are read, inferred and checked. */
export { ARCHITECTURES } from './config/architectures.js';
export {
  type Activation,
  type ClipConfig,
  checkConfig,
  firstDifference,
  type TowerConfig,
} from './config/clip-config.js';
export { configToJson, parseConfigJson } from './config/config-json.js';
export { type InferOptions, inferConfig, isOpenAiArchive } from './config/infer-config.js';
export { JsonFields } from './config/json-fields.js';
export { madeCheckpoint, madeClip, type WantedNumbers } from './config/made-checkpoint.js';
export {
  DESCRIPTION_FILES,
  type DescriptionFile,
  describeModel,
  type ModelDescription,
} from './config/model-description.js';
export {
  parsePreprocessing,
  parsePreprocessorConfig,
  preprocessorJson,
  timmPreprocessing,
} from './config/preprocessing-json.js';
export { clipTensors, type ExpectedTensor, unusedTensors, validateShapes } from './config/tensors.js';
export { clipVision, readVit, type VisionConfig, visionRows } from './config/vision-config.js';
