/**
 * AlexNet in torchvision's form, "One weird trick for parallelizing convolutional neural networks" (Krizhevsky, 2014): one column, no local response
 * normalisation.
 */
import { requireExactly } from '../clip/config/tensors.js';
import { IMAGE_SIZE, shapeOf, torchvisionPreprocessing, torchvisionView } from './convolutional.js';
import type { EncoderFamily } from './encoder.js';
import {
  FeatureStack,
  type StackConfig,
  type StackTable,
  stackBytesPerImage,
  stackLargestWeightBytes,
  stackTensors,
} from './feature-stack.js';

/** Sizes of an AlexNet. */
export interface AlexNetConfig extends StackConfig {
  readonly kind: 'alexnet';
}

const pool = { window: 3, stride: 2 };

/** At 224 x 224: 64 channels of 55 x 55, 192 of 27 x 27, then 384, 256 and 256 of 13 x 13, of which 6 x 6 remain. */
const TABLE: StackTable = {
  layers: [
    { name: 'features.0', window: 11, stride: 4, padding: 2, pool },
    { name: 'features.3', window: 5, stride: 1, padding: 2, pool },
    { name: 'features.6', window: 3, stride: 1, padding: 1 },
    { name: 'features.8', window: 3, stride: 1, padding: 1 },
    { name: 'features.10', window: 3, stride: 1, padding: 1, pool },
  ],
  linear: ['classifier.1', 'classifier.4'],
};

const WHAT = 'an AlexNet';

export const ALEXNET: EncoderFamily<AlexNetConfig> = {
  name: WHAT,
  architecture: () => 'AlexNet',
  recognises: (names) =>
    ['features.0.weight', 'features.10.weight', 'classifier.1.weight', 'classifier.4.weight'].every((own) =>
      names.some((name) => name === own || name.endsWith(`.${own}`)),
    ),
  read(checkpoint) {
    const weights = torchvisionView(checkpoint, /(?:^|\.)features\.0\.weight$/, /^classifier\.6\./);
    const channels = TABLE.layers.map(({ name }) => shapeOf(weights, `${name}.weight`, 4, WHAT)[0]!);
    const [hidden = 0, inputs = 0] = shapeOf(weights, `${TABLE.linear[0]}.weight`, 2, WHAT);
    const [width = 0] = shapeOf(weights, `${TABLE.linear[1]}.weight`, 2, WHAT);
    const cells = Math.round(Math.sqrt(inputs / channels.at(-1)!));
    const config = { kind: 'alexnet', imageSize: IMAGE_SIZE, width, channels, cells, hidden } as const;
    requireExactly(weights, stackTensors(TABLE, config), WHAT);
    return { config, weights };
  },
  load: (engine, weights, config) => FeatureStack.load(engine, weights, config, TABLE),
  preprocessing: torchvisionPreprocessing,
  bytesPerImage: (config) => stackBytesPerImage(TABLE, config),
  largestWeightBytes: stackLargestWeightBytes,
};
