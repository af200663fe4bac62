/**
 * Frozen image encoders of any architecture: pictures to features, forward only. An architecture is an `EncoderFamily`, and index.ts lists
 * them all; the rest of the program knows an encoder by this interface alone.
 */
import type { CanonicalClip, Checkpoint } from '../clip/checkpoint/index.js';
import type { Preprocessing } from '../clip/image/index.js';
import { InputError } from '../errors.js';
import type { Engine, Tensor } from '../tensor/index.js';

/** The architectures. A `clip` is the image tower of a CLIP, a `vit` another vision transformer such as DeiT. */
export type EncoderKind = 'clip' | 'vit' | 'beit' | 'alexnet' | 'vgg' | 'resnet';

/** Sizes of an encoder, read from its checkpoint's tensors. Plain data: feature caches are keyed by all of it. */
export interface EncoderConfig {
  readonly kind: EncoderKind;
  /** Side of the square image in pixels. */
  readonly imageSize: number;
  /** Numbers in a pooled feature. */
  readonly width: number;
  /** Width of the joint space with texts; undefined if there is none. */
  readonly projectionDim?: number;
}

/** A frozen image encoder on a device. */
export interface EncoderTower extends Disposable {
  readonly engine: Engine;
  /**
   * Normalised pixels [batch, 3, size, size] to features [batch, width]. With `values` [3, 256], the pixels are whole numbers
   * [batch, size, size] from `modelPixels`, whose bytes stand for these.
   */
  pool(pixels: Tensor, values?: Tensor): Tensor;
  /** `pool`, and `features` [batch, projectionDim], not normalised; absent if there is no joint space. */
  encode?(pixels: Tensor, values?: Tensor): { pooled: Tensor; features: Tensor };
}

/** An architecture. */
export interface EncoderFamily<C extends EncoderConfig> {
  /** As messages name it, with its article if it has one: `AlexNet`, `a vision transformer`. */
  readonly name: string;
  /** As tables name it, with its depth: `VGG16`, `ResNet101`, `DeiT`. */
  architecture(config: C): string;
  /** Whether a checkpoint's tensor names are those of this architecture, whatever prefix they have. It may still be incomplete. */
  recognises(names: readonly string[]): boolean;
  /** Reads the sizes from the tensors' shapes and checks all of these. Throws InputError naming the offending tensor. */
  read(checkpoint: Checkpoint): { config: C; weights: CanonicalClip };
  /** Loads the weights onto a device. */
  load(engine: Engine, weights: CanonicalClip, config: C): Promise<EncoderTower>;
  /** How the published checkpoints want their pictures, if no file beside them says otherwise. */
  preprocessing(config: C): Preprocessing;
  /** Working memory of one image on the device and the host at its peak, in bytes. */
  bytesPerImage(config: C): number;
  /** The largest weight in single precision, in bytes: so much is in transit while weights are loaded. */
  largestWeightBytes(config: C): number;
}

/** What encoding takes beside the weights, in bytes. */
export interface EncoderMemory {
  readonly perImage: number;
  readonly largestWeight: number;
}

/** A checkpoint read as an encoder, whatever its architecture. */
export interface LoadableEncoder {
  /** Its family's name. */
  readonly family: string;
  readonly architecture: string;
  readonly config: EncoderConfig;
  /** The weights under the family's names. */
  readonly weights: CanonicalClip;
  /** The usual preprocessing of its kind. */
  readonly usual: Preprocessing;
  readonly memory: EncoderMemory;
  /** Loads the weights onto the engine's device; the caller disposes of the tower. */
  load(engine: Engine): Promise<EncoderTower>;
}

/** An encoder of a family, with the family's functions bound to its sizes and weights. */
export function loadable<C extends EncoderConfig>(
  family: EncoderFamily<C>,
  { config, weights }: { config: C; weights: CanonicalClip },
): LoadableEncoder {
  return {
    family: family.name,
    architecture: family.architecture(config),
    config,
    weights,
    usual: usualOf(family, config, weights.name),
    memory: encoderMemory(family, config),
    load: (engine) => family.load(engine, weights, config),
  };
}

/** Throws InputError naming the file if its tensors are those of images that nobody prepares, of a million pixels a side. */
function usualOf<C extends EncoderConfig>(family: EncoderFamily<C>, config: C, file: string): Preprocessing {
  try {
    return family.preprocessing(config);
  } catch (error) {
    throw error instanceof InputError ? new InputError(`${file}: ${error.message}`) : error;
  }
}

/** What an encoder of a family takes. */
export function encoderMemory<C extends EncoderConfig>(family: EncoderFamily<C>, config: C): EncoderMemory {
  return { perImage: family.bytesPerImage(config), largestWeight: family.largestWeightBytes(config) };
}

/** What an image's pixels take in every encoder: those being processed and those decoded ahead, separately; on the host and on the device. */
export function pixelBytes(imageSize: number): number {
  return 4 * 4 * imageSize * imageSize;
}

/** The entry of a safetensors file's metadata by which random weights are known. */
export const RANDOM_WEIGHTS = ['weights', 'random'] as const;

/** Whether a checkpoint says that its weights are random. */
export function isRandom({ metadata }: Pick<Checkpoint, 'metadata'>): boolean {
  const [key, value] = RANDOM_WEIGHTS;
  return metadata.get(key) === value;
}
