/**
 * What the convolutional networks share: reading torchvision's names, loading convolutions with their batch norm folded in, and running batches
 * in parts. Activations are [images, height, width, channels], weights [out, window * window * in].
 */
import { type CanonicalClip, type Checkpoint, canonicalClip } from '../clip/checkpoint/index.js';
import { affine, type ExpectedTensor } from '../clip/config/tensors.js';
import { imageNetPreprocessing, type Preprocessing } from '../clip/image/index.js';
import type { Affine, WeightLoader } from '../clip/towers/weights.js';
import { InputError } from '../errors.js';
import {
  type ConvolutionOptions,
  concat,
  convolution,
  type Engine,
  linear,
  patchBytes,
  patchRows,
  slice,
  type Tensor,
} from '../tensor/index.js';
import type { EncoderConfig } from './encoder.js';

/** Side of the pictures that torchvision's networks are trained on. Any other would do: what is left of it is pooled. */
export const IMAGE_SIZE = 224;

/** torchvision's `ImageClassification` preset: short side to 256, bilinear, the middle 224 x 224. */
export function torchvisionPreprocessing({ imageSize }: EncoderConfig): Preprocessing {
  return imageNetPreprocessing(imageSize, { resize: Math.trunc((256 / 224) * imageSize), filter: 'bilinear' });
}

/**
 * A checkpoint's tensors without what wrappers put before their names, the buffers of training, and those that `dropped` matches (the classifier's
 * last layer). `anchor` matches the one tensor that every network of the kind has.
 */
export function torchvisionView(checkpoint: Checkpoint, anchor: RegExp, dropped: RegExp): CanonicalClip {
  return canonicalClip(
    checkpoint,
    (name) => (dropped.test(name) || name.endsWith('.num_batches_tracked') ? [] : [{ name, derivation: 'same' }]),
    anchor,
  );
}

/** The shape of a tensor of so many axes. Throws InputError if it is missing or has others; `what` is what the file then is not. */
export function shapeOf(view: CanonicalClip, name: string, axes: number, what: string): readonly number[] {
  if (!view.has(name))
    throw new InputError(
      `${view.name}: not ${what} with torchvision's names, or incomplete: tensor "${name}" is missing`,
    );
  const shape = view.shape(name);
  if (shape.length === axes) return shape;
  throw new InputError(
    `${view.name}: tensor "${name}" of ${what} should have ${axes} axes, found shape [${shape.join(', ')}]`,
  );
}

/** A convolution as a table lists it. */
export interface ConvolutionSpec {
  /** Of its weight and, if it has one, bias. */
  readonly name: string;
  /** Of the batch norm after it, if there is one. */
  readonly norm?: string | undefined;
  readonly window: number;
  readonly stride: number;
  readonly padding: number;
}

/** The tensors of a convolution. One before a batch norm has a bias only in VGG. */
export function convolutionTensors(
  { name, norm, window }: ConvolutionSpec,
  channels: number,
  n: number,
  bias: boolean,
): ExpectedTensor[] {
  const [weight, biasTensor] = affine(name, [n, channels, window, window]) as [ExpectedTensor, ExpectedTensor];
  const statistics = ['running_mean', 'running_var'].map((part) => ({ name: `${norm}.${part}`, shape: [n] }));
  return [weight, ...(bias ? [biasTensor] : []), ...(norm === undefined ? [] : [...affine(norm, [n]), ...statistics])];
}

/** A convolution on a device. */
export interface Convolution extends Pick<ConvolutionSpec, 'window' | 'stride' | 'padding'> {
  readonly weight: Tensor;
  readonly bias: Tensor;
}

/** `torch.nn.BatchNorm2d`'s. */
const NORM_EPSILON = 1e-5;

/**
 * Loads a convolution with the batch norm after it folded in (Jacob et al., 2018, equation 14): with s = gamma / sqrt(variance + epsilon), s w
 * stands for w, and beta + s (bias - mean) for the bias.
 */
export async function loadConvolution(loader: WeightLoader, spec: ConvolutionSpec): Promise<Convolution> {
  const { checkpoint } = loader;
  const { name, norm, window, stride, padding } = spec;
  const [n = 0, channels = 0] = checkpoint.shape(`${name}.weight`);
  const weight = await checkpoint.read(`${name}.weight`);
  const bias = checkpoint.has(`${name}.bias`) ? await checkpoint.read(`${name}.bias`) : new Float32Array(n);
  channelsLast(weight, n, channels);
  if (norm !== undefined) {
    const part = (which: string) => checkpoint.read(`${norm}.${which}`);
    const [gamma, beta] = [await part('weight'), await part('bias')];
    const [mean, variance] = [await part('running_mean'), await part('running_var')];
    const k = weight.length / n;
    for (let j = 0; j < n; j++) {
      const scale = gamma[j]! / Math.sqrt(variance[j]! + NORM_EPSILON);
      for (let at = j * k; at < (j + 1) * k; at++) weight[at]! *= scale;
      bias[j] = beta[j]! + scale * (bias[j]! - mean[j]!);
    }
  }
  return {
    weight: loader.ownWeight(weight, [n, weight.length / n]),
    bias: loader.own(bias, [n]),
    window,
    stride,
    padding,
  };
}

/** Rows of (channel, y, x) become rows of (y, x, channel), in place. */
function channelsLast(weight: Float32Array, rows: number, channels: number): void {
  const length = weight.length / rows;
  const pixels = length / channels;
  if (pixels === 1) return;
  const row = new Float32Array(length);
  for (let at = 0; at < weight.length; at += length) {
    row.set(weight.subarray(at, at + length));
    for (let channel = 0; channel < channels; channel++) {
      for (let pixel = 0; pixel < pixels; pixel++)
        weight[at + pixel * channels + channel] = row[channel * pixels + pixel]!;
    }
  }
}

/** Most numbers of one tensor: 128 MiB, which every WebGPU adapter binds. */
const MOST_NUMBERS = 2 ** 25;

/**
 * A linear layer on the device, cut by outputs so that no piece takes more than 128 MiB: VGG's first takes 392. Its inputs are `channels`
 * of each pixel, which lie together here and channel by channel in the checkpoint.
 */
export async function loadLinear(loader: WeightLoader, name: string, channels: number): Promise<Affine[]> {
  const { checkpoint } = loader;
  const [n = 0, k = 0] = checkpoint.shape(`${name}.weight`);
  const bias = await checkpoint.read(`${name}.bias`);
  const rows = rowsOfPiece(n, k);
  const pieces: Affine[] = [];
  for (let first = 0; first < n; first += rows) {
    const count = Math.min(rows, n - first);
    const weight = await checkpoint.read(`${name}.weight`, { first, count });
    channelsLast(weight, count, channels);
    pieces.push({
      weight: loader.ownWeight(weight, [count, k]),
      bias: loader.own(bias.slice(first, first + count), [count]),
    });
  }
  return pieces;
}

/** Outputs of a piece of a linear layer. */
export function rowsOfPiece(n: number, k: number): number {
  return Math.min(n, Math.max(1, Math.floor(MOST_NUMBERS / k)));
}

/** relu(x W' + bias) for x [rows, k]. */
export function linearRelu(x: Tensor, pieces: readonly Affine[]): Tensor {
  return x.engine.scope(() => {
    const parts = pieces.map(({ weight, bias }) => linear(x, weight, bias, { relu: true }));
    return parts.length === 1 ? parts[0]! : concat(parts, 1);
  });
}

/** A convolution, then `residual` added, then ReLU unless it is false. */
export function convolve(
  x: Tensor,
  { weight, bias, window, stride, padding }: Convolution,
  { residual, relu = true }: Pick<ConvolutionOptions, 'residual' | 'relu'> = {},
): Tensor {
  return convolution(x, weight, bias, { window, stride, padding, residual, relu });
}

/** Runs x through layers one after the other, and frees what lies between. */
export function inSequence(x: Tensor, layers: readonly ((x: Tensor) => Tensor)[]): Tensor {
  const { engine } = x;
  let current = x;
  for (const layer of layers) {
    const next = engine.scope(() => layer(current));
    if (current !== x) current.dispose();
    current = next;
  }
  return current;
}

/**
 * Encodes pixels, or bytes and their values (see `EncoderTower.pool`), by `encode`, which takes [images, size, size, 3] to [images, width]. More images
 * than keep each tensor within 128 MiB are encoded one part after the other; `largest` is the most numbers of a tensor that one image takes.
 */
export function encodeInParts(
  engine: Engine,
  pixels: Tensor,
  values: Tensor | undefined,
  largest: number,
  encode: (images: Tensor) => Tensor,
): Tensor {
  const [batch = 0] = pixels.shape;
  const size = pixels.columns;
  const most = Math.max(1, Math.floor(MOST_NUMBERS / largest));
  return engine.scope(() => {
    const rows = values ? patchBytes(pixels, values, 1) : patchRows(pixels, 1);
    const images = rows.reshape([batch, size, size, 3]);
    if (batch <= most) return encode(images);
    const parts: Tensor[] = [];
    for (let first = 0; first < batch; first += most) {
      parts.push(engine.scope(() => encode(slice(images, 0, first, Math.min(batch, first + most)))));
    }
    return concat(parts, 0);
  });
}
