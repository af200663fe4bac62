/**
 * What a learner on features is. CLIP's two encoders are frozen and have done their work: an image is its normalised feature f, a class is the feature t of
 * its zero-shot text. A learner says where it starts, how it computes logits, and how it fits; training and prediction share the logits.
 */
import { InputError } from '../../errors.js';
import { bytesPerImage, ROW_SHARE, tooLittleMemory } from '../../ptdpc/budget.js';
import { argmax, evaluate } from '../../ptdpc/evaluate.js';
import { finiteLogits } from '../../ptdpc/features.js';
import type { LabelledFeatures } from '../../ptdpc/labelled-features.js';
import type { OptionsOf } from '../../ptdpc/options.js';
import { type Engine, matmul, type Tensor } from '../../tensor/index.js';
import type { OptionFields } from '../learner.js';
import type { FeatureFacts } from './facts.js';

/** An array on the host. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** What a learner is fitted to. */
export interface FeatureJob {
  readonly engine: Engine;
  readonly classes: number;
  /** d, numbers per feature. */
  readonly width: number;
  /** Normalised features [images, d] and their labels; views, if any, are for those that train by epochs or keep a cache. */
  readonly train: LabelledFeatures;
  /** Chooses hyperparameters; undefined: the defaults hold that the learner states. */
  readonly validation?: LabelledFeatures | undefined;
  /** Zero-shot text features [classes, d], normalised. */
  readonly texts: Float32Array;
  /** The same [classes, d] as the text encoder gives them, the mean of each class's templates, not normalised. */
  readonly rawTexts: Float32Array;
  /** CLIP's factor of the cosines. */
  readonly scale: number;
  /** Bytes of working memory. */
  readonly memory: number;
  /** Called after every step of training. */
  readonly onStep?: ((step: FitStep) => void) | undefined;
  /** Of a training by epochs, called after each with all tensors as they are then; training continues when the promise resolves. */
  readonly onEpoch?: ((tensors: FittedFeatures['tensors']) => Promise<void>) | undefined;
}

/** A step of training, or an evaluation of L-BFGS. */
export interface FitStep {
  readonly step: number;
  /** Steps of the training; undefined where they are not known beforehand. */
  readonly steps?: number | undefined;
  readonly epoch: number;
  /** Of the batch, before the update: mean cross-entropy and what is added to it. */
  readonly loss: number;
}

/** Hyperparameters that were tried, with what the validation images said of them. */
export interface Trial {
  readonly values: Readonly<Record<string, number>>;
  readonly valAccuracy: number;
  readonly valLoss: number;
}

/** What a learner has learned: all that its logits are made of. */
export interface FittedFeatures {
  readonly tensors: Readonly<Record<string, HostTensor>>;
  /** Numbers that are not learned by gradient: given, or chosen on validation images. */
  readonly constants: Readonly<Record<string, number>>;
  /** What validation chose between; empty if nothing was chosen. */
  readonly choice: readonly Trial[];
  /** How many settings it chose between, where `choice` has the best only. */
  readonly candidates?: number | undefined;
  /** Passes over the training images. */
  readonly epochs: number;
}

/** Sizes that the number of learned parameters and the memory depend on. */
export interface FeatureSizes {
  readonly classes: number;
  /** d. */
  readonly joint: number;
  /** Training images. */
  readonly images: number;
}

/** How a learner computes: the part that training and prediction share. */
export interface FeatureModel<Names extends string = string, Numbers extends string = string> {
  /** Every tensor, in the order of the file. */
  readonly tensors: readonly Names[];
  /** Those that are learned. */
  readonly learned: readonly Names[];
  /** The shape of each tensor. */
  shapes(sizes: FeatureSizes): Readonly<Record<Names, readonly number[]>>;
  /** Logits [images, classes] of normalised features [images, d]. */
  logits(
    features: Tensor,
    tensors: Readonly<Record<Names, Tensor>>,
    constants: Readonly<Record<Numbers, number>>,
  ): Tensor;
  /** What training adds to the mean cross-entropy, a scalar [1]. */
  penalty?(tensors: Readonly<Record<Names, Tensor>>, constants: Readonly<Record<Numbers, number>>): Tensor;
  /** Numbers for an image in a forward and backward pass, beside its feature and its logits. */
  activations(sizes: FeatureSizes): number;
}

/** Where a learner starts. */
export interface FeatureStart<Names extends string = string, Numbers extends string = string> {
  readonly tensors: Readonly<Record<Names, HostTensor>>;
  readonly constants: Readonly<Record<Numbers, number>>;
}

/** A learner on features. */
export interface FeatureLearner<Fields extends OptionFields = OptionFields> extends FeatureFacts<Fields> {
  readonly model: FeatureModel;
  /** What it is before it has learned. Throws InputError if a class that it needs an image of has none. */
  start(job: FeatureJob, options: OptionsOf<Fields>): Promise<FeatureStart>;
  /** Throws InputError where an option or the memory does not allow it, and TrainingDiverged if a loss is NaN. */
  fit(job: FeatureJob, options: OptionsOf<Fields>): Promise<FittedFeatures>;
}

/** A model whose tensors are on a device. */
export interface OpenedModel<Names extends string> extends Disposable {
  readonly tensors: Readonly<Record<Names, Tensor>>;
}

/** Puts tensors on the device, the learned ones as parameters if `learns`. They are freed with what is returned. */
export function openModel<Names extends string>(
  engine: Engine,
  model: Pick<FeatureModel<Names>, 'tensors' | 'learned'>,
  tensors: Readonly<Record<Names, HostTensor>>,
  learns: boolean,
): OpenedModel<Names> {
  const made = model.tensors.map((name) => {
    const { data, shape } = tensors[name];
    const isParameter = learns && model.learned.includes(name);
    const tensor = isParameter ? engine.parameter(data, shape) : engine.scope(() => engine.tensor(data, shape).share());
    return [name, tensor] as const;
  });
  return {
    tensors: Object.fromEntries(made) as Record<Names, Tensor>,
    [Symbol.dispose]: () => {
      for (const [, tensor] of made) tensor.dispose();
    },
  };
}

/** Tensors of a learned one's size in training: it, optimiser state, gradients being added; and of a frozen one: it, and its copy packed for a product. */
const COPIES = { learned: 8, frozen: 2 } as const;

/** Images at once. Throws InputError if the memory, in bytes, does not hold one beside the tensors. */
export function imagesAtOnce(
  engine: Engine,
  model: FeatureModel,
  tensors: Readonly<Record<string, { readonly shape: readonly number[] }>>,
  sizes: FeatureSizes,
  memory: number,
): number {
  let fixed = engine.backend.memory.fixedBytes;
  for (const [name, { shape }] of Object.entries(tensors)) {
    const size = shape.reduce((product, length) => product * length, 1);
    fixed += 4 * size * (model.learned.includes(name) ? COPIES.learned : COPIES.frozen);
  }
  const perImage = (bytesPerImage(sizes.joint, sizes.classes) + 4 * model.activations(sizes)) / ROW_SHARE;
  const images = Math.floor((memory - fixed) / perImage);
  if (images < 1) throw tooLittleMemory('this learner takes', fixed + perImage, memory);
  return images;
}

/** Logits [images, classes] of normalised features [images, d]. `memory` in bytes. Throws NonFiniteError if one is NaN or infinite. */
export async function featureLogits(
  engine: Engine,
  model: FeatureModel,
  { tensors, constants }: Pick<FittedFeatures, 'tensors' | 'constants'>,
  features: Float32Array,
  { classes, joint, images }: FeatureSizes,
  memory: number,
): Promise<Float32Array> {
  const most = imagesAtOnce(engine, model, tensors, { classes, joint, images }, memory);
  using _limit = engine.workWithin(memory);
  using opened = openModel(engine, model, tensors, false);
  const count = features.length / joint;
  const all = new Float32Array(count * classes);
  for (let start = 0; start < count; start += most) {
    const some = features.subarray(start * joint, (start + most) * joint);
    using part = engine.scope(() =>
      model.logits(engine.tensor(some, [some.length / joint, joint]), opened.tensors, constants),
    );
    all.set(await part.read(), start * classes);
  }
  return finiteLogits(all);
}

/** What the validation images say of logits. */
export function judged(logits: Float32Array, labels: Int32Array, classes: number, values: Trial['values']): Trial {
  const { accuracy, loss } = evaluate(logits, labels, classes);
  return { values, valAccuracy: accuracy, valLoss: loss };
}

/** The trial with the highest validation accuracy; of equal ones that with the lowest loss, then the first. Throws RangeError if there are none. */
export function bestTrial(trials: readonly Trial[]): Trial {
  const [first, ...rest] = trials;
  if (!first) throw new RangeError('bestTrial: expected at least one trial');
  const better = (a: Trial, b: Trial) =>
    a.valAccuracy > b.valAccuracy || (a.valAccuracy === b.valAccuracy && a.valLoss < b.valLoss);
  return rest.reduce((best, trial) => (better(trial, best) ? trial : best), first);
}

/** scale f . t' for rows of features and of texts; of normalised ones the scaled cosine. */
export function compared(features: Tensor, texts: Tensor, scale: number): Tensor {
  return matmul(features, texts, { transposeB: true, alpha: scale });
}

/** Labels as rows [images, classes] with a 1 each. */
export function oneHot(labels: Int32Array, classes: number): Float32Array {
  const rows = new Float32Array(labels.length * classes);
  labels.forEach((label, i) => {
    rows[i * classes + label] = 1;
  });
  return rows;
}

/** Mean feature [classes, d] of each class's images. Throws InputError if a class has none. */
export function classMeans({ features, labels }: LabelledFeatures, classes: number, width: number): Float32Array {
  const sums = new Float64Array(classes * width);
  const counts = new Float64Array(classes);
  labels.forEach((label, i) => {
    counts[label]! += 1;
    for (let d = 0; d < width; d++) sums[label * width + d]! += features[i * width + d]!;
  });
  const empty = counts.indexOf(0);
  if (empty >= 0) throw new InputError(`class ${empty}: expected a training image of every class, found none`);
  return Float32Array.from(sums, (sum, at) => sum / counts[Math.floor(at / width)]!);
}

/** How many rows of logits have their label's class in front. */
export function countCorrect(logits: Float32Array, labels: Int32Array, classes: number): number {
  return labels.reduce(
    (sum, label, i) => sum + Number(argmax(logits.subarray(i * classes, (i + 1) * classes)) === label),
    0,
  );
}
