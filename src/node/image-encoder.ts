/**
 * A frozen image encoder with its files: the image tower of a CLIP, read before or after its projection, or an encoder of src/encoders.
 * `encodeImages` computes with it, and the cache tells its features from others' by it.
 */
import { join } from 'node:path';
import { clipVision, JsonFields, timmPreprocessing } from '../clip/config.js';
import type { Preprocessing } from '../clip/image/index.js';
import { type LoadableEncoder, loadable, readEncoder, VISION_TRANSFORMER } from '../encoders/index.js';
import { InputError } from '../errors.js';
import { FEATURE_KINDS, type FeatureKind, type ModelSource, modelIdentity } from '../ptdpc/index.js';
import { exists, findCheckpoint, openCheckpointFiles, readDescription, readText } from './checkpoint-files.js';
import { hashWeights } from './file-hashes.js';
import { openModelDirectory } from './model-directory.js';

export { FEATURE_KINDS, type FeatureKind };

export interface ImageEncoder extends LoadableEncoder {
  readonly features: FeatureKind;
  /** Numbers per feature. */
  readonly width: number;
  readonly preprocessing: Preprocessing;
  /** What features depend on besides image, device, and what `hash` is of; becomes JSON. */
  readonly origin: object;
  /** Of the weights and the preprocessing: see `modelIdentity`. */
  hash(): Promise<string>;
}

export interface OpenedEncoder extends ImageEncoder, AsyncDisposable {}

/** The image tower of a CLIP. */
export function clipEncoder(model: ModelSource, features: FeatureKind = 'joint'): ImageEncoder {
  const { config, clip, preprocessing } = model;
  // The ids of special tokens do not affect images.
  const { sot: _, eot: __, ...text } = config.text;
  const vision = clipVision(config);
  return {
    ...loadable(VISION_TRANSFORMER, { config: vision, weights: clip }),
    features,
    width: features === 'joint' ? config.projectionDim : vision.width,
    preprocessing,
    origin: features === 'joint' ? { ...config, text } : { ...vision, features },
    hash: () => model.hash(),
  };
}

/** The encoder itself, or the joint encoder of a CLIP. */
export function encoderOf(model: ModelSource | ImageEncoder): ImageEncoder {
  return 'clip' in model ? clipEncoder(model) : model;
}

/**
 * Opens a CLIP's model directory, or a vision transformer in timm's naming (a safetensors or PyTorch file, or a folder with one).
 * `cacheDirectory` as for `openModelDirectory`. Throws InputError if it is neither, and where joint features are asked of what has no joint space.
 */
export async function openEncoder(
  path: string,
  features: FeatureKind,
  cacheDirectory?: string,
): Promise<OpenedEncoder> {
  const { weights: files, directory } = await findCheckpoint(path);
  const { checkpoint, close } = await openCheckpointFiles(files);
  try {
    const encoder = readEncoder(checkpoint);
    if (encoder) {
      const { config, usual } = encoder;
      if (features === 'joint')
        throw new InputError(`--features joint: ${path} is ${encoder.family} without a joint space; use pooled`);
      const preprocessing = (await timmPreprocessingIn(directory, config.imageSize)) ?? usual;
      let hash: Promise<string> | undefined;
      return {
        ...encoder,
        features,
        width: config.width,
        preprocessing,
        origin: { ...config, features, preprocessing: 'imagenet' },
        hash: () => {
          hash ??= hashWeights(files, cacheDirectory).then((weights) => modelIdentity(weights, preprocessing, usual));
          return hash;
        },
        [Symbol.asyncDispose]: close,
      };
    }
  } catch (error) {
    await close();
    throw error;
  }
  await close();
  if (directory === undefined || !(await readDescription(directory))) {
    throw new InputError(
      `${path}: expected a model directory of a CLIP, or a vision transformer in timm's naming; found neither`,
    );
  }
  const model = await openModelDirectory(directory, cacheDirectory);
  return { ...clipEncoder(model, features), [Symbol.asyncDispose]: () => model.close() };
}

/** What timm's config.json beside a vision transformer says of its pictures; undefined if it says nothing. */
async function timmPreprocessingIn(directory: string | undefined, size: number): Promise<Preprocessing | undefined> {
  const path = join(directory ?? '', 'config.json');
  if (directory === undefined || !(await exists(path))) return undefined;
  const fields = JsonFields.parse(await readText(path), path).object('pretrained_cfg');
  return fields && timmPreprocessing(fields, path, size, 'before');
}
