/**
 * CLIP-Adapter (Gao et al., "CLIP-Adapter: Better Vision-Language Models with Feature Adapters", 2021; IJCV 2024): a bottleneck of two layers whose output is
 * blended with the image feature.
 *
 *     A(f) = relu(relu(f W1') W2')
 *     logits = scale cos(ratio A(f) + (1 - ratio) f, T)
 *
 * A is positively homogeneous, so it makes no difference that f is normalised here and not in the published code: the cosine is the same.
 */
import type { OptionsOf } from '../../ptdpc/options.js';
import { addScaled, affine, linear, normalizeRows, Sgd } from '../../tensor/index.js';
import { uniformGenerator } from '../../tensor/random.js';
import { fitAsCoOp, halfSquares } from './descend.js';
import { CLIP_ADAPTER, hiddenWidth } from './facts.js';
import {
  compared,
  type FeatureJob,
  type FeatureLearner,
  type FeatureModel,
  type FeatureStart,
} from './feature-learner.js';

type Names = 'texts' | 'down' | 'up';
type Numbers = 'scale' | 'ratio' | 'weightDecay';

const model: FeatureModel<Names, Numbers> = {
  tensors: ['texts', 'down', 'up'],
  learned: ['down', 'up'],
  shapes: ({ classes, joint }) => ({
    ...{ texts: [classes, joint], down: [hiddenWidth(joint), joint], up: [joint, hiddenWidth(joint)] },
  }),
  logits: (f, { texts, down, up }, { scale, ratio }) => {
    const adapted = linear(linear(f, down, undefined, { relu: true }), up, undefined, { relu: true });
    const blended = addScaled(adapted, affine(f, 1 - ratio), ratio);
    return compared(normalizeRows(blended), texts, scale);
  },
  penalty: ({ down, up }, { weightDecay }) => halfSquares([down, up], weightDecay),
  activations: ({ joint }) => 10 * joint,
};

export const clipAdapter: FeatureLearner<typeof CLIP_ADAPTER.fields> = {
  ...CLIP_ADAPTER,
  model,
  start: async (job, options) => startOf(job, options),
  fit: async (job, options) =>
    await fitAsCoOp(job, model, startOf(job, options), options, (parameters) => new Sgd(parameters, { momentum: 0.9 })),
};

function startOf(
  { classes, width, texts, scale }: FeatureJob,
  { ratio, weightDecay, seed }: OptionsOf<typeof CLIP_ADAPTER.fields>,
): FeatureStart<Names, Numbers> {
  const hidden = hiddenWidth(width);
  const random = uniformGenerator(seed ^ 0x2545f491);
  // Uniform in ±1 / sqrt(inputs), as PyTorch's nn.Linear begins.
  const layer = (rows: number, inputs: number) => ({
    shape: [rows, inputs],
    data: Float32Array.from({ length: rows * inputs }, () => (2 * random() - 1) / Math.sqrt(inputs)),
  });
  return {
    tensors: { texts: { shape: [classes, width], data: texts }, down: layer(hidden, width), up: layer(width, hidden) },
    constants: { scale, ratio, weightDecay },
  };
}
