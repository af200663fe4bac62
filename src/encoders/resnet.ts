/**
 * ResNet (He, Zhang, Ren and Sun, 2016, table 1) with torchvision's names: a stem, four stages of residual blocks, the mean of all pixels. As in torchvision, a
 * bottleneck halves the image in its 3 x 3 convolution, not in the first one.
 */
import type { CanonicalClip } from '../clip/checkpoint/index.js';
import { type ExpectedTensor, requireExactly } from '../clip/config/tensors.js';
import { WeightLoader } from '../clip/towers/weights.js';
import { averagePool, type Engine, maxPool, type Tensor } from '../tensor/index.js';
import {
  type Convolution,
  type ConvolutionSpec,
  convolutionTensors,
  convolve,
  encodeInParts,
  IMAGE_SIZE,
  inSequence,
  loadConvolution,
  shapeOf,
  torchvisionPreprocessing,
  torchvisionView,
} from './convolutional.js';
import { type EncoderConfig, type EncoderFamily, type EncoderTower, pixelBytes } from './encoder.js';

/** Blocks that work on images of one size. */
export interface ResNetStage {
  readonly blocks: number;
  /** Channels within a block, and of what it gives. */
  readonly inner: number;
  readonly outer: number;
}

/** Sizes of a ResNet. `width`, the feature's, is the last stage's `outer`. */
export interface ResNetConfig extends EncoderConfig {
  readonly kind: 'resnet';
  /** Blocks of three convolutions (1 x 1, 3 x 3, 1 x 1), as in ResNet-50 and deeper; else two of 3 x 3. */
  readonly bottleneck: boolean;
  /** Channels of the stem. */
  readonly stem: number;
  /** Of ResNet-101: 3, 4, 23 and 3 blocks of 64, 128, 256 and 512 channels within, four times as many outside. */
  readonly stages: readonly ResNetStage[];
}

/** A block: its convolutions, and the one that its input takes on the way past them where sizes differ. */
interface BlockSpec {
  readonly convolutions: readonly ConvolutionSpec[];
  readonly downsample: ConvolutionSpec | undefined;
}

const STEM: ConvolutionSpec = { name: 'conv1', norm: 'bn1', window: 7, stride: 2, padding: 3 };
const POOL = { window: 3, stride: 2, padding: 1 };

/** The table of the paper. Every stage but the first halves the image in its first block. */
function blocksOf({ bottleneck, stem, stages }: Pick<ResNetConfig, 'bottleneck' | 'stem' | 'stages'>): BlockSpec[] {
  let before = stem;
  return stages.flatMap(({ blocks, outer }, stage) =>
    Array.from({ length: blocks }, (_, block): BlockSpec => {
      const name = `layer${stage + 1}.${block}`;
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const windows = bottleneck ? [1, 3, 1] : [3, 3];
      const halves = bottleneck ? 1 : 0;
      const convolutions = windows.map((window, i) => ({
        ...{ name: `${name}.conv${i + 1}`, norm: `${name}.bn${i + 1}`, window },
        ...{ stride: i === halves ? stride : 1, padding: (window - 1) / 2 },
      }));
      const differs = stride > 1 || before !== outer;
      before = outer;
      const past = { name: `${name}.downsample.0`, norm: `${name}.downsample.1`, window: 1, stride, padding: 0 };
      return { convolutions, downsample: differs ? past : undefined };
    }),
  );
}

/** Every tensor that the feature needs. */
function resNetTensors(config: ResNetConfig): ExpectedTensor[] {
  const { stem, stages, bottleneck } = config;
  const sizes = stages.flatMap(({ blocks, ...stage }) => Array.from({ length: blocks }, () => stage));
  let before = stem;
  return [
    ...convolutionTensors(STEM, 3, stem, false),
    ...blocksOf(config).flatMap(({ convolutions, downsample }, i) => {
      const { inner, outer } = sizes[i]!;
      const outputs = bottleneck ? [inner, inner, outer] : [inner, outer];
      const tensors = convolutions.flatMap((spec, j) =>
        convolutionTensors(spec, j === 0 ? before : outputs[j - 1]!, outputs[j]!, false),
      );
      if (downsample) tensors.push(...convolutionTensors(downsample, before, outer, false));
      before = outer;
      return tensors;
    }),
  ];
}

/** A block on a device. */
interface Block {
  readonly convolutions: readonly Convolution[];
  readonly downsample: Convolution | undefined;
}

class ResNet implements EncoderTower {
  private constructor(
    private readonly loader: WeightLoader,
    private readonly config: ResNetConfig,
    private readonly stem: Convolution,
    private readonly blocks: readonly Block[],
  ) {}

  static load(engine: Engine, weights: CanonicalClip, config: ResNetConfig): Promise<ResNet> {
    return WeightLoader.run(engine, weights, async (loader) => {
      const stem = await loadConvolution(loader, STEM);
      const blocks: Block[] = [];
      for (const { convolutions, downsample } of blocksOf(config)) {
        const loaded: Convolution[] = [];
        for (const spec of convolutions) loaded.push(await loadConvolution(loader, spec));
        blocks.push({
          convolutions: loaded,
          downsample: downsample && (await loadConvolution(loader, downsample)),
        });
      }
      return new ResNet(loader, config, stem, blocks);
    });
  }

  get engine(): Engine {
    return this.loader.engine;
  }

  pool(pixels: Tensor, values?: Tensor): Tensor {
    const { largest } = resNetNumbers(this.config, pixels.columns);
    return encodeInParts(this.engine, pixels, values, largest, (images) => this.#encode(images));
  }

  #encode(images: Tensor): Tensor {
    return inSequence(images, [
      (x) => convolve(x, this.stem),
      (x) => maxPool(x, POOL),
      ...this.blocks.map((block) => (x: Tensor) => residualBlock(x, block)),
      (x) => averagePool(x, [1, 1]).reshape([x.shape[0]!, x.columns]),
    ]);
  }

  [Symbol.dispose](): void {
    this.loader[Symbol.dispose]();
  }
}

/** relu(F(x) + x), where x is brought to F's size if it has another. */
function residualBlock(x: Tensor, { convolutions, downsample }: Block): Tensor {
  const residual = downsample ? convolve(x, downsample, { relu: false }) : x;
  const inner = convolutions.slice(0, -1).map((one) => (input: Tensor) => convolve(input, one));
  return inSequence(x, [...inner, (input) => convolve(input, convolutions.at(-1)!, { residual })]);
}

/** Numbers of one image: the most that are there at once, and in one tensor. */
function resNetNumbers({ stem, stages }: ResNetConfig, imageSize: number) {
  const half = (side: number) => Math.ceil(side / 2);
  let side = half(imageSize);
  // With few channels, the number of rows is the limit: see `stackNumbers`.
  let largest = Math.max(stem, 64) * side * side;
  let peak = 3 * imageSize * imageSize + stem * side * side;
  let before = stem;
  side = half(side);
  for (const [stage, { inner, outer }] of stages.entries()) {
    const own = stage === 0 ? side : half(side);
    // A block's input, what it adds, two inner results of which the first may still be large, and its result.
    peak = Math.max(
      peak,
      (before + inner) * side * side + (inner + 2 * outer) * own * own,
      (2 * outer + 2 * inner) * own * own,
    );
    largest = Math.max(largest, inner * side * side, Math.max(outer, 64) * own * own);
    before = outer;
    side = own;
  }
  return { peak, largest };
}

const WHAT = 'a ResNet';

export const RESNET: EncoderFamily<ResNetConfig> = {
  name: WHAT,
  // Named by its layers with weights: those of the blocks, the stem and the classifier's.
  architecture: ({ stages, bottleneck }) =>
    `ResNet${stages.reduce((layers, { blocks }) => layers + (bottleneck ? 3 : 2) * blocks, 2)}`,
  recognises: (names) =>
    ['layer1.0.conv1.weight', 'layer4.0.conv1.weight'].every((own) =>
      names.some((name) => name === own || name.endsWith(`.${own}`)),
    ),
  read(checkpoint) {
    const weights = torchvisionView(checkpoint, /(?:^|\.)layer1\.0\.conv1\.weight$/, /^fc\./);
    const bottleneck = weights.has('layer1.0.conv3.weight');
    const last = bottleneck ? 'conv3' : 'conv2';
    const [stem = 0] = shapeOf(weights, 'conv1.weight', 4, WHAT);
    const stages = [1, 2, 3, 4].map((stage): ResNetStage => {
      let blocks = 1;
      while (weights.has(`layer${stage}.${blocks}.conv1.weight`)) blocks++;
      const [inner = 0] = shapeOf(weights, `layer${stage}.0.conv1.weight`, 4, WHAT);
      const [outer = 0] = shapeOf(weights, `layer${stage}.0.${last}.weight`, 4, WHAT);
      return { blocks, inner, outer };
    });
    const { outer: width } = stages.at(-1)!;
    const config = { kind: 'resnet', imageSize: IMAGE_SIZE, width, bottleneck, stem, stages } as const;
    requireExactly(weights, resNetTensors(config), 'a plain ResNet');
    return { config, weights };
  },
  load: (engine, weights, config) => ResNet.load(engine, weights, config),
  preprocessing: torchvisionPreprocessing,
  bytesPerImage: (config) => {
    const { imageSize } = config;
    return 4 * (resNetNumbers(config, imageSize).peak + 3 * imageSize * imageSize) + pixelBytes(imageSize);
  },
  largestWeightBytes: ({ stages, bottleneck }) => {
    const { inner, outer } = stages.at(-1)!;
    return 4 * Math.max(9 * inner * (bottleneck ? inner : outer), outer * inner);
  },
};
