/** `ClipConfig`: the sizes of a ViT CLIP, and the limits of what this program can run. */
import { InputError } from '../../errors.js';
import type { Activation } from '../../kernels/index.js';
import { MAX_HEAD_WIDTH } from '../../tensor/index.js';

export type { Activation };

/** Sizes that both transformers have. */
export interface TowerConfig {
  /** Features per token. */
  readonly width: number;
  /** Number of residual attention blocks. */
  readonly layers: number;
  /** Attention heads; `width / heads` features each. */
  readonly heads: number;
  /** Width of the hidden layer of each block's MLP. */
  readonly intermediate: number;
}

/** The sizes of a ViT CLIP, and its activation. */
export interface ClipConfig {
  /** Width of the joint embedding space of images and texts. */
  readonly projectionDim: number;
  readonly activation: Activation;
  readonly layerNormEpsilon: number;
  readonly text: TowerConfig & {
    /** Longest sequence in tokens. */
    readonly context: number;
    readonly vocabularySize: number;
    /** Ids of the start-of-text and end-of-text tokens, if the configuration has them; they must match the vocabulary's. */
    readonly sot?: number | undefined;
    readonly eot?: number | undefined;
  };
  readonly vision: TowerConfig & {
    /** Side of the square image in pixels. */
    readonly imageSize: number;
    /** Side of a square patch in pixels; divides `imageSize`. */
    readonly patchSize: number;
  };
}

/** Far above any CLIP, and small enough that no product of two sizes overflows. */
const LARGEST = { width: 65_536, layers: 1024, context: 65_536, vocabularySize: 16_777_216, side: 16_384 };

/**
 * Returns `config` if this program can run it, else throws `InputError` naming the offending size. `what` names the source
 * of the configuration. The text width must equal the joint width, since prompts are compared with image features.
 */
export function checkConfig(config: ClipConfig, what: string): ClipConfig {
  const { text, vision } = config;
  const size = (name: string, value: number, largest: number): void => {
    if (!(Number.isInteger(value) && value > 0 && value <= largest)) {
      throw new InputError(`${what}: ${name} should be a whole number from 1 to ${largest}, found ${value}`);
    }
  };
  for (const [tower, { width, layers, heads, intermediate }] of Object.entries({ text, vision })) {
    size(`the ${tower} width`, width, LARGEST.width);
    size(`the number of ${tower} layers`, layers, LARGEST.layers);
    size(`the number of ${tower} heads`, heads, width);
    size(`the ${tower} intermediate size`, intermediate, 16 * LARGEST.width);
    if (width % heads !== 0)
      throw new InputError(`${what}: the ${tower} width ${width} does not divide into ${heads} heads`);
    if (width / heads > MAX_HEAD_WIDTH) {
      throw new InputError(
        `${what}: ${heads} ${tower} heads of ${width / heads} columns each; expected heads of at most ${MAX_HEAD_WIDTH} columns`,
      );
    }
  }
  size('the projection width', config.projectionDim, LARGEST.width);
  size('the context length', text.context, LARGEST.context);
  size('the vocabulary size', text.vocabularySize, LARGEST.vocabularySize);
  size('the image size', vision.imageSize, LARGEST.side);
  size('the patch size', vision.patchSize, vision.imageSize);
  if (vision.imageSize % vision.patchSize !== 0) {
    throw new InputError(
      `${what}: the image size ${vision.imageSize} is not a multiple of the patch size ${vision.patchSize}`,
    );
  }
  if (!(config.layerNormEpsilon > 0 && config.layerNormEpsilon < 1)) {
    throw new InputError(
      `${what}: the layer norm epsilon should lie between 0 and 1, found ${config.layerNormEpsilon}`,
    );
  }
  if (text.width !== config.projectionDim) {
    throw new InputError(
      `${what}: the text width ${text.width} differs from the joint width ${config.projectionDim}; prompts can only be compared with image features where the two are equal`,
    );
  }
  return config;
}

/** Name and both values of the first field in which two models differ, ignoring special tokens; undefined if they agree. */
export function firstDifference(a: ClipConfig, b: ClipConfig): string | undefined {
  const others = new Map(described(b));
  const different = described(a).find(([name, value]) => others.get(name) !== value);
  return different && `${different[0]} (${different[1]} and ${others.get(different[0])})`;
}

function described({ text, vision, ...shared }: ClipConfig): [name: string, value: number | string][] {
  const { sot: _, eot: __, ...sizes } = text;
  const tower = (name: string, values: object) =>
    Object.entries(values).map(([key, value]): [string, number] => [`${name} ${key}`, value]);
  return [...Object.entries(shared), ...tower('text', sizes), ...tower('vision', vision)];
}
