/**
 * CLIP-Adapter (Gao et al., "CLIP-Adapter: Better Vision-Language Models with Feature Adapters", 2021; IJCV 2024): a bottleneck of two layers whose output is
 * blended with the image feature.
 *
 *     A(f) = relu(relu(f W1') W2')
 *     logits = scale cos(ratio A(f) + (1 - ratio) f, T)
 *
 * A is positively homogeneous, so it makes no difference that f is normalised here and not in the published code: the cosine is the same.
 */
import { numberIn, type OptionsOf } from '../../ptdpc/options.js';
import { addScaled, affine, linear, normalizeRows, Sgd } from '../../tensor/index.js';
import { uniformGenerator } from '../../tensor/random.js';
import { descend, warmCosineRate } from './descend.js';
import { compared, type FeatureLearner, type FeatureModel } from './feature-learner.js';
import { DESCENT_FIELDS, halfSquares, WEIGHT_DECAY_FIELD } from './fields.js';

type Names = 'texts' | 'down' | 'up';
type Numbers = 'scale' | 'ratio';

const model: FeatureModel<Names, Numbers> = {
  tensors: ['texts', 'down', 'up'],
  learned: ['down', 'up'],
  logits: (f, { texts, down, up }, { scale, ratio }) => {
    const adapted = linear(linear(f, down, undefined, { relu: true }), up, undefined, { relu: true });
    const blended = addScaled(adapted, affine(f, 1 - ratio), ratio);
    return compared(normalizeRows(blended), texts, scale);
  },
  activations: ({ joint }) => 10 * joint,
};

export const CLIP_ADAPTER_FIELDS = {
  ratio: numberIn({ least: 0, most: 1 }, { flag: '--ratio <x>', help: "share of the adapter's output in the feature" }),
  ...DESCENT_FIELDS,
  weightDecay: WEIGHT_DECAY_FIELD,
};
export type ClipAdapterOptions = OptionsOf<typeof CLIP_ADAPTER_FIELDS>;
export const CLIP_ADAPTER_DEFAULTS: ClipAdapterOptions = {
  ...{ ratio: 0.2, learningRate: 2e-3, epochs: 200, batchSize: 32, seed: 0, weightDecay: 5e-4 },
};

/** Numbers of the bottleneck: a quarter of the feature's. */
export const hiddenWidth = (joint: number): number => Math.floor(joint / 4);

export const clipAdapter: FeatureLearner<typeof CLIP_ADAPTER_FIELDS> = {
  model,
  fit: async (job, options) => {
    const { classes, width, texts, scale } = job;
    const hidden = hiddenWidth(width);
    const random = uniformGenerator(options.seed ^ 0x2545f491);
    // Uniform in ±1 / sqrt(inputs), as PyTorch's nn.Linear begins.
    const layer = (rows: number, inputs: number) => ({
      shape: [rows, inputs],
      data: Float32Array.from({ length: rows * inputs }, () => (2 * random() - 1) / Math.sqrt(inputs)),
    });
    const constants = { scale, ratio: options.ratio };
    const start = {
      tensors: {
        texts: { shape: [classes, width], data: texts },
        down: layer(hidden, width),
        up: layer(width, hidden),
      },
      constants,
    };
    const tensors = await descend(job, model, start, {
      ...options,
      optimizer: (parameters) => new Sgd(parameters, { momentum: 0.9 }),
      rate: ({ epoch }) => warmCosineRate(options.learningRate, epoch, options.epochs),
      penalty: ({ down, up }) => halfSquares([down, up], options.weightDecay),
    });
    return { tensors, constants, choice: [], epochs: options.epochs };
  },
};
