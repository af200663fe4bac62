/**
 * AlexNet and VGG: convolutions with ReLU, some followed by a max pooling, the mean in a few cells, and two linear layers with ReLU. The feature is what
 * the second of them gives: the classifier's last layer is not used.
 */
import type { CanonicalClip } from '../clip/checkpoint/index.js';
import { affine, type ExpectedTensor } from '../clip/config/tensors.js';
import { type Affine, WeightLoader } from '../clip/towers/weights.js';
import { windowsAlong } from '../kernels/index.js';
import { averagePool, type Engine, maxPool, type Tensor } from '../tensor/index.js';
import {
  type Convolution,
  type ConvolutionSpec,
  convolutionTensors,
  convolve,
  encodeInParts,
  inSequence,
  linearRelu,
  loadConvolution,
  loadLinear,
  rowsOfPiece,
} from './convolutional.js';
import { type EncoderConfig, type EncoderTower, pixelBytes } from './encoder.js';

/** A line of the table: a convolution, and the pooling after it. */
export interface StackLayer extends ConvolutionSpec {
  readonly pool?: { readonly window: number; readonly stride: number } | undefined;
}

/** Sizes of such a network. */
export interface StackConfig extends EncoderConfig {
  /** Outputs of each convolution. */
  readonly channels: readonly number[];
  /** Cells along a side, of which the linear layers see the means. */
  readonly cells: number;
  /** Outputs of the first linear layer; those of the second are the feature's `width`. */
  readonly hidden: number;
}

/** A network's table: its convolutions, and the names of its two linear layers. */
export interface StackTable {
  readonly layers: readonly StackLayer[];
  readonly linear: readonly [string, string];
}

/** Every tensor that the features need. */
export function stackTensors({ layers, linear }: StackTable, config: StackConfig): ExpectedTensor[] {
  const { channels, cells, hidden, width } = config;
  return [
    ...layers.flatMap((layer, i) => convolutionTensors(layer, i === 0 ? 3 : channels[i - 1]!, channels[i]!, true)),
    ...affine(linear[0], [hidden, channels.at(-1)! * cells * cells]),
    ...affine(linear[1], [width, hidden]),
  ];
}

/** The network on a device. */
export class FeatureStack implements EncoderTower {
  private constructor(
    private readonly loader: WeightLoader,
    private readonly config: StackConfig,
    private readonly layers: readonly (Convolution & Pick<StackLayer, 'pool'>)[],
    private readonly linear: readonly Affine[][],
    private readonly table: StackTable,
  ) {}

  static load(engine: Engine, weights: CanonicalClip, config: StackConfig, table: StackTable): Promise<FeatureStack> {
    return WeightLoader.run(engine, weights, async (loader) => {
      const layers: (Convolution & Pick<StackLayer, 'pool'>)[] = [];
      for (const spec of table.layers) layers.push({ ...(await loadConvolution(loader, spec)), pool: spec.pool });
      const linear = [
        await loadLinear(loader, table.linear[0], config.channels.at(-1)!),
        await loadLinear(loader, table.linear[1], config.hidden),
      ];
      return new FeatureStack(loader, config, layers, linear, table);
    });
  }

  get engine(): Engine {
    return this.loader.engine;
  }

  pool(pixels: Tensor, values?: Tensor): Tensor {
    const { largest } = stackNumbers(this.table, this.config, pixels.columns);
    return encodeInParts(this.engine, pixels, values, largest, (images) => this.#encode(images));
  }

  #encode(images: Tensor): Tensor {
    const { cells } = this.config;
    return inSequence(images, [
      ...this.layers.flatMap((layer) => [
        (x: Tensor) => convolve(x, layer),
        ...(layer.pool ? [(x: Tensor) => maxPool(x, layer.pool!)] : []),
      ]),
      (x) => averagePool(x, [cells, cells]).reshape([x.shape[0]!, cells * cells * x.columns]),
      ...this.linear.map((pieces) => (x: Tensor) => linearRelu(x, pieces)),
    ]);
  }

  [Symbol.dispose](): void {
    this.loader[Symbol.dispose]();
  }
}

/** Numbers of one image: the most that are there at once, and in one tensor. */
function stackNumbers({ layers }: StackTable, { channels }: StackConfig, imageSize: number) {
  let side = imageSize;
  let before = 3 * side * side;
  let peak = before;
  let largest = before;
  for (const [i, { window, stride, padding, pool }] of layers.entries()) {
    for (const step of [{ window, stride, padding }, ...(pool ? [{ ...pool, padding: 0 }] : [])]) {
      side = windowsAlong(side, step.window, step.stride, step.padding);
      const after = channels[i]! * side * side;
      peak = Math.max(peak, before + after);
      // With few channels, the number of rows is the limit: a launch has 65,535 tiles of 16 of them.
      largest = Math.max(largest, after, 64 * side * side);
      before = after;
    }
  }
  return { peak, largest };
}

/** See `EncoderFamily.bytesPerImage`. */
export function stackBytesPerImage(table: StackTable, config: StackConfig): number {
  const { imageSize } = config;
  return 4 * (stackNumbers(table, config, imageSize).peak + 3 * imageSize * imageSize) + pixelBytes(imageSize);
}

/** See `EncoderFamily.largestWeightBytes`: a piece of the first linear layer. */
export function stackLargestWeightBytes({ channels, cells, hidden }: StackConfig): number {
  const k = channels.at(-1)! * cells * cells;
  return 4 * rowsOfPiece(hidden, k) * k;
}
