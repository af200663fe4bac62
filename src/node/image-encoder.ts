/**
 * A frozen image encoder with its files: the image tower of a CLIP, read before or after its projection, or an encoder of src/encoders.
 * `encodeImages` computes with it, and the cache tells its features from others' by it.
 */
import { join } from 'node:path';
import { clipVision, JsonFields, parsePreprocessorConfig, timmPreprocessing } from '../clip/config.js';
import {
  clipPreprocessing,
  describePreprocessing,
  imageNetPreprocessing,
  type Preprocessing,
} from '../clip/image/index.js';
import {
  ENCODER_FAMILIES,
  isEncoder,
  type LoadableEncoder,
  loadable,
  readEncoder,
  VISION_TRANSFORMER,
} from '../encoders/index.js';
import { InputError } from '../errors.js';
import { type FeatureKind, type ModelSource, modelIdentity, type PreprocessChoice } from '../ptdpc/index.js';
import { exists, findCheckpoint, openCheckpointFiles, readDescription, readText } from './checkpoint-files.js';
import { hashWeights } from './file-hashes.js';
import { hashInName, requireHashOfName } from './hub/published-encoders.js';
import { openModelDirectory } from './model-directory.js';

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
    family: 'the image tower of a CLIP',
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

/** `AlexNet, features of 4096 numbers; pictures: ...`: an encoder in a line. */
export function describeEncoder({ family, width, preprocessing }: ImageEncoder): string {
  return `${family}, features of ${width} numbers; pictures: ${describePreprocessing(preprocessing)}`;
}

/** How an encoder is opened. */
export interface EncoderOptions {
  readonly features: FeatureKind;
  /** Default: `own`. */
  readonly preprocess?: PreprocessChoice | undefined;
  /** As for `openModelDirectory`. */
  readonly cacheDirectory?: string | undefined;
}

/**
 * Opens a CLIP's model directory, or a checkpoint of any family of src/encoders (a safetensors or PyTorch file, or a folder with one).
 * Throws InputError if it is neither, and where joint features are asked of what has no joint space.
 */
export async function openEncoder(path: string, options: EncoderOptions): Promise<OpenedEncoder> {
  const opened = await openOwn(path, options);
  if (options.preprocess !== 'clip') return opened;
  return { ...preparedLike(opened, clipPreprocessing(opened.config.imageSize)), ...closing(opened) };
}

async function openOwn(path: string, { features, cacheDirectory }: EncoderOptions): Promise<OpenedEncoder> {
  const encoder = await openFrozen(path, cacheDirectory);
  if (encoder && features === 'joint') {
    await encoder[Symbol.asyncDispose]();
    throw new InputError(`--features joint: ${path} is ${encoder.family} without a joint space; use pooled`);
  }
  if (encoder) return encoder;
  const { directory } = await findCheckpoint(path);
  if (directory === undefined || !(await readDescription(directory))) {
    throw new InputError(
      `${path}: expected a model directory of a CLIP, or the checkpoint of ${ENCODER_FAMILIES.join(', ')}; found neither`,
    );
  }
  const model = await openModelDirectory(directory, cacheDirectory);
  return { ...clipEncoder(model, features), [Symbol.asyncDispose]: () => model.close() };
}

/** Whether there is a checkpoint at `path` whose names are those of a family of src/encoders; false also if there is none that can be opened. */
export async function isEncoderAt(path: string): Promise<boolean> {
  try {
    const { checkpoint, close } = await openCheckpointFiles((await findCheckpoint(path)).weights);
    await close();
    return isEncoder(checkpoint);
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

/**
 * Opens a checkpoint of any family of src/encoders; undefined if it is of none, as a CLIP's. Throws InputError if it is damaged, or its
 * file's name says another hash than it has.
 */
export async function openFrozen(path: string, cacheDirectory?: string): Promise<OpenedEncoder | undefined> {
  const { weights: files, directory } = await findCheckpoint(path);
  const { checkpoint, close } = await openCheckpointFiles(files);
  try {
    const encoder = readEncoder(checkpoint);
    if (encoder) {
      const hash = () => hashWeights(files, cacheDirectory);
      if (hashInName(files[0]!) !== undefined) requireHashOfName(files[0]!, await hash());
      return { ...(await frozenEncoder(encoder, directory, hash)), [Symbol.asyncDispose]: close };
    }
  } catch (error) {
    await close();
    throw error;
  }
  await close();
  return undefined;
}

/** An encoder with the preprocessing that its folder describes, or else its kind's. `hashOfWeights` is called once, if at all. */
async function frozenEncoder(
  encoder: LoadableEncoder,
  directory: string | undefined,
  hashOfWeights: () => Promise<string>,
): Promise<ImageEncoder> {
  const { config, usual } = encoder;
  const preprocessing = (await describedPictures(directory, config.imageSize)) ?? usual;
  // What an identity does not name. Earlier versions resized to 256 for a vision transformer: their runs and caches are not mistaken for today's.
  const unnamed =
    config.kind === 'vit'
      ? imageNetPreprocessing(config.imageSize, { resize: Math.trunc((256 / 224) * config.imageSize) })
      : usual;
  let hash: Promise<string> | undefined;
  return {
    ...encoder,
    features: 'pooled',
    width: config.width,
    preprocessing,
    // The last key is that of earlier versions' caches, which knew this kind alone.
    origin: { ...config, features: 'pooled', ...(config.kind === 'vit' && { preprocessing: 'imagenet' }) },
    hash: () => {
      hash ??= hashOfWeights().then((weights) => modelIdentity(weights, preprocessing, unnamed));
      return hash;
    },
  };
}

/** The encoder on pictures prepared in another way, which gives its features another identity. */
function preparedLike(encoder: ImageEncoder, preprocessing: Preprocessing): ImageEncoder {
  return {
    ...encoder,
    preprocessing,
    hash: async () => modelIdentity(await encoder.hash(), preprocessing, encoder.preprocessing),
  };
}

function closing(opened: AsyncDisposable): AsyncDisposable {
  return { [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

/** What the files beside an encoder say of its pictures, transformers' or timm's; undefined if they say nothing. */
async function describedPictures(directory: string | undefined, size: number): Promise<Preprocessing | undefined> {
  if (directory === undefined) return undefined;
  const [transformers, timm] = ['preprocessor_config.json', 'config.json'].map((name) => join(directory, name));
  // Their image processors expect RGB.
  if (await exists(transformers!))
    return { ...parsePreprocessorConfig(await readText(transformers!), transformers!, size), toRgb: 'before' };
  if (!(await exists(timm!))) return undefined;
  const fields = JsonFields.parse(await readText(timm!), timm!).object('pretrained_cfg');
  return fields && timmPreprocessing(fields, timm!, size, 'before');
}
