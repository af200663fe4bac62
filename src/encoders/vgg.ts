/** VGG (Simonyan and Zisserman, 2015, table 1, columns A, B, D and E), with torchvision's names, with or without batch norm. */
import { requireExactly } from '../clip/config/tensors.js';
import { InputError } from '../errors.js';
import { IMAGE_SIZE, shapeOf, torchvisionPreprocessing, torchvisionView } from './convolutional.js';
import type { EncoderFamily } from './encoder.js';
import {
  FeatureStack,
  type StackConfig,
  type StackLayer,
  type StackTable,
  stackBytesPerImage,
  stackLargestWeightBytes,
  stackTensors,
} from './feature-stack.js';

/** Sizes of a VGG. */
export interface VggConfig extends StackConfig {
  readonly kind: 'vgg';
  /** Layers with weights, by which the paper names it. */
  readonly depth: 11 | 13 | 16 | 19;
  readonly batchNorm: boolean;
}

/** Convolutions before each max pooling. */
const STAGES: Readonly<Record<VggConfig['depth'], readonly number[]>> = {
  11: [1, 1, 2, 2, 2],
  13: [2, 2, 2, 2, 2],
  16: [2, 2, 3, 3, 3],
  19: [2, 2, 4, 4, 4],
};

/** torchvision numbers all modules: a convolution, its batch norm if it has one, its ReLU; a pooling. All windows are 3 x 3. */
function tableOf({ depth, batchNorm }: Pick<VggConfig, 'depth' | 'batchNorm'>): StackTable {
  const layers: StackLayer[] = [];
  let module = 0;
  for (const convolutions of STAGES[depth]) {
    for (let i = 1; i <= convolutions; i++) {
      layers.push({
        name: `features.${module}`,
        norm: batchNorm ? `features.${module + 1}` : undefined,
        ...{ window: 3, stride: 1, padding: 1 },
        pool: i === convolutions ? { window: 2, stride: 2 } : undefined,
      });
      module += batchNorm ? 3 : 2;
    }
    module++;
  }
  return { layers, linear: ['classifier.0', 'classifier.3'] };
}

const WHAT = 'a VGG';

export const VGG: EncoderFamily<VggConfig> = {
  name: WHAT,
  architecture: ({ depth, batchNorm }) => `VGG${depth}${batchNorm ? '-BN' : ''}`,
  recognises: (names) =>
    ['features.0.weight', 'classifier.0.weight', 'classifier.3.weight'].every((own) =>
      names.some((name) => name === own || name.endsWith(`.${own}`)),
    ),
  read(checkpoint) {
    const weights = torchvisionView(checkpoint, /(?:^|\.)features\.0\.weight$/, /^classifier\.6\./);
    const convolutions = weights
      .names()
      .filter((name) => /^features\.\d+\.weight$/.test(name) && weights.shape(name).length === 4).length;
    const depth = convolutions + 3;
    if (depth !== 11 && depth !== 13 && depth !== 16 && depth !== 19)
      throw new InputError(
        `${weights.name}: expected the 8, 10, 13 or 16 convolutions of VGG-11, 13, 16 or 19 under "features", found ${convolutions}`,
      );
    const batchNorm = weights.has('features.1.weight');
    const table = tableOf({ depth, batchNorm });
    const channels = table.layers.map(({ name }) => shapeOf(weights, `${name}.weight`, 4, WHAT)[0]!);
    const [hidden = 0, inputs = 0] = shapeOf(weights, `${table.linear[0]}.weight`, 2, WHAT);
    const [width = 0] = shapeOf(weights, `${table.linear[1]}.weight`, 2, WHAT);
    const cells = Math.round(Math.sqrt(inputs / channels.at(-1)!));
    const sizes = { width, channels, cells, hidden };
    const config = { kind: 'vgg', imageSize: IMAGE_SIZE, ...sizes, depth, batchNorm } as const;
    requireExactly(weights, stackTensors(table, config), `VGG-${depth}${batchNorm ? ' with batch norm' : ''}`);
    return { config, weights };
  },
  load: (engine, weights, config) => FeatureStack.load(engine, weights, config, tableOf(config)),
  preprocessing: torchvisionPreprocessing,
  bytesPerImage: (config) => stackBytesPerImage(tableOf(config), config),
  largestWeightBytes: stackLargestWeightBytes,
};
