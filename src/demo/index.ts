/**
 * The demonstration: synthetic affective scenes, captions for them, and labelled splits. Runs in a browser.
 *
 * @module ptdpc/demo
 */
export type {} from '../platform-types.js';

export {
  type AffectiveAttributes,
  ATTRIBUTE_NAMES,
  ATTRIBUTES,
  type AttributeName,
  bayesAccuracy,
  EMOTIONS,
  type Emotion,
  posterior,
} from './affect.js';
export { type CaptionOptions, captionPhrases, describeScene } from './caption.js';
export { type DemoScene, type DemoSceneOptions, demoScene, demoScenes, SPLITS, type Split } from './dataset.js';
export { mixSeeds, Random } from './random.js';
export { renderScene, type Scene, type SceneAttributes } from './scene.js';
