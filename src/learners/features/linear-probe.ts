/**
 * The linear probe of CLIP's paper (Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", 2021, appendix A.3): logistic
 * regression on the features by L-BFGS, at most 1,000 iterations, with an L2 penalty whose strength is chosen on the validation images.
 *
 *     logits = f W' + b
 *     minimise C sum_i cross-entropy_i + |W|^2 / 2
 *
 * `ptdpc probe` is another one: Table 4's, by SGD.
 */
import { linear } from '../../tensor/index.js';
import { addGradient, halfSquares, lossOf, readLearned } from './descend.js';
import { LINEAR_PROBE } from './facts.js';
import {
  bestTrial,
  type FeatureJob,
  type FeatureLearner,
  type FeatureModel,
  type FeatureStart,
  featureLogits,
  type HostTensor,
  imagesAtOnce,
  judged,
  openModel,
  type Trial,
} from './feature-learner.js';
import { lbfgs } from './lbfgs.js';

type Names = 'weight' | 'bias';
type Layer = Readonly<Record<Names, HostTensor>>;

const model: FeatureModel<Names, 'c' | 'images'> = {
  tensors: ['weight', 'bias'],
  learned: ['weight', 'bias'],
  shapes: ({ classes, joint }) => ({ weight: [classes, joint], bias: [classes] }),
  logits: (f, { weight, bias }) => linear(f, weight, bias),
  penalty: ({ weight }, { c, images }) => halfSquares([weight], 1 / (c * images)),
  activations: () => 0,
};

/** What `auto` is without validation images: the 0.316 of CLIP's README, which is for features of length 10 or so, for those of length 1. */
export const C_WITHOUT_VALIDATION = 31.6;

/** Exponents of ten that the search begins with; then it halves their distance around the best, down to an eighth. */
const [EXPONENTS, FINEST] = [[-6, -4, -2, 0, 2, 4, 6], 1 / 8] as const;

export const linearProbe: FeatureLearner<typeof LINEAR_PROBE.fields> = {
  ...LINEAR_PROBE,
  model,
  start: async (job, { c }) => startOf(job, c === 'auto' ? C_WITHOUT_VALIDATION : c),
  fit: async (job, { c, iterations }) => {
    const images = job.train.labels.length;
    const result = (tensors: Layer, chosen: number, choice: readonly Trial[] = []) => ({
      ...{ tensors, constants: { c: chosen, images }, choice, epochs: iterations },
    });
    if (c !== 'auto') return result(await logisticRegression(job, c, iterations), c);
    const { validation, engine, classes, width, memory } = job;
    if (!validation)
      return result(await logisticRegression(job, C_WITHOUT_VALIDATION, iterations), C_WITHOUT_VALIDATION);
    const tried = new Map<number, { tensors: Layer; trial: Trial }>();
    const tryExponents = async (exponents: readonly number[]) => {
      for (const exponent of exponents) {
        if (tried.has(exponent)) continue;
        const value = 10 ** exponent;
        const tensors = await logisticRegression(job, value, iterations);
        const sizes = { classes, joint: width, images };
        const fitted = { tensors, constants: { c: value, images } };
        const logits = await featureLogits(engine, model, fitted, validation.features, sizes, memory);
        tried.set(exponent, { tensors, trial: judged(logits, validation.labels, classes, { c: value }) });
      }
      const trials = [...tried.values()].map(({ trial }) => trial);
      const best = bestTrial(trials);
      const [exponent, { tensors }] = [...tried].find(([, { trial }]) => trial === best)!;
      return { exponent, tensors, trials };
    };
    let found = await tryExponents(EXPONENTS);
    for (let distance = 1; distance >= FINEST; distance /= 2)
      found = await tryExponents([found.exponent - distance, found.exponent + distance]);
    return result(found.tensors, 10 ** found.exponent, found.trials);
  },
};

/** The minimum for one C, as scikit-learn's LogisticRegression defines it, divided by C times the number of images. The bias is not penalised. */
export async function logisticRegression(job: FeatureJob, c: number, iterations: number): Promise<Layer> {
  const { engine, train, classes, width, memory, onStep } = job;
  const { tensors: zeros, constants } = startOf(job, c);
  const most = imagesAtOnce(engine, model, zeros, { classes, joint: width, images: constants.images }, memory);
  using _limit = engine.workWithin(memory);
  using opened = openModel(engine, model, zeros, true);
  const { weight, bias } = opened.tensors;
  const loss = lossOf(model, opened.tensors, constants);
  const write = (at: Float64Array) => {
    engine.backend.write(weight.buffer, Float32Array.from(at.subarray(0, weight.size)));
    engine.backend.write(bias.buffer, Float32Array.from(at.subarray(weight.size)));
  };
  let step = 0;
  const evaluate = async (at: Float64Array) => {
    write(at);
    const value = await addGradient(engine, loss, train, width, most);
    const gradient = new Float64Array(at.length);
    gradient.set(await weight.grad!.read());
    gradient.set(await bias.grad!.read(), weight.size);
    weight.zeroGrad();
    bias.zeroGrad();
    onStep?.({ step, epoch: step++, loss: value });
    return { value, gradient };
  };
  // scikit-learn's tolerance of 1e-4 is for the sum that this is the mean of.
  const { at } = await lbfgs(evaluate, new Float64Array(weight.size + bias.size), {
    ...{ iterations, tolerance: 1e-6, progress: 1e-10 },
  });
  write(at);
  return await readLearned(model, zeros, opened.tensors);
}

function startOf({ train, classes, width }: FeatureJob, c: number): FeatureStart<Names, 'c' | 'images'> {
  return {
    tensors: {
      weight: { shape: [classes, width], data: new Float32Array(classes * width) },
      bias: { shape: [classes], data: new Float32Array(classes) },
    },
    constants: { c, images: train.labels.length },
  };
}
