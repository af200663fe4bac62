/**
 * The linear probe of the paper's Table 4: one fully connected layer trained on what a frozen encoder gives, everything else fixed
 * (section 5.6). The paper does not say how it is trained, so the defaults are those of section 5.2: SGD with momentum 0.9,
 * StepLR of step 3 and gamma 0.9, batches of 64, 10 epochs, and a learning rate of 0.1, 0.01 or 0.001 "of different datasets", which
 * `chooseRate` takes by validation.
 */
import { InputError } from '../errors.js';
import {
  AdamW,
  addScaled,
  crossEntropy,
  type Engine,
  groupDot,
  linear,
  Sgd,
  sumRows,
  type Tensor,
} from '../tensor/index.js';
import { uniformGenerator } from '../tensor/random.js';
import { bytesPerImage, ROW_SHARE, tooLittleMemory } from './budget.js';
import { argmax, type Evaluation, evaluate } from './evaluate.js';
import { type LabelledFeatures, pick, slice } from './labelled-features.js';
import { bestRate, holdOut, type RateChoice } from './learning-rate.js';
import { ADAMW, type ProbeOptions, SGD_MOMENTUM, stepLearningRate } from './options.js';
import { epochOrder } from './random.js';
import { TrainingDiverged } from './train.js';

/** A trained linear layer. */
export interface LinearProbe {
  classes: number;
  /** Numbers per feature. */
  width: number;
  /** [classes, width]. */
  weight: Float32Array;
  /** [classes]. */
  bias: Float32Array;
}

/** How one epoch went. */
export interface ProbeEpoch {
  epoch: number;
  learningRate: number;
  /** Means over the epoch's images, each taken when its batch was visited; the L2 term left out. */
  trainLoss: number;
  trainAccuracy: number;
}

/** A probe to be trained, on which images. */
export interface ProbeTraining {
  engine: Engine;
  options: ProbeOptions;
  train: LabelledFeatures;
  /** Numbers per feature. */
  width: number;
  classes: number;
  /** Bytes of working memory. */
  memory: number;
  /** Called after every epoch. */
  onEpoch?: ((metrics: ProbeEpoch) => void) | undefined;
  /** Called after every epoch with the probe as it is then; training continues when the promise resolves. */
  onProbe?: ((probe: LinearProbe) => Promise<void>) | undefined;
}

/**
 * Trains a probe. The same seed gives the same probe: it draws the start (uniform in ±1 / sqrt(width), as PyTorch's `nn.Linear`) and
 * the order of images. Throws TrainingDiverged if the loss is NaN, InputError if the memory does not hold the layer.
 */
export async function trainProbe(training: ProbeTraining): Promise<LinearProbe> {
  const { engine, options, train, width, classes, memory } = training;
  const random = uniformGenerator(options.seed ^ 0x5bd1e995);
  const start = (length: number) => Float32Array.from({ length }, () => (2 * random() - 1) / Math.sqrt(width));
  const count = train.labels.length;
  const most = imagesAtOnce(engine, 'training', training, memory);
  using _limit = engine.workWithin(memory);
  using weight = engine.parameter(start(classes * width), [classes, width]);
  using bias = engine.parameter(start(classes), [classes]);
  using optimizer =
    options.optimizer === 'sgd'
      ? new Sgd([weight, bias], { momentum: SGD_MOMENTUM })
      : new AdamW([weight, bias], ADAMW);
  const read = async (): Promise<LinearProbe> => {
    const [w, b] = await Promise.all([weight.read(), bias.read()]);
    return { classes, width, weight: w, bias: b };
  };
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    const order = options.shuffle ? epochOrder(count, options.seed, epoch) : undefined;
    const learningRate = stepLearningRate(options, epoch);
    let [lossSum, correct] = [0, 0];
    for (let at = 0; at < count; at += options.batchSize) {
      const batch = pick(train, order, at, Math.min(options.batchSize, count - at), width);
      const result = await step(engine, { weight, bias }, batch, most, options.l2);
      optimizer.step(learningRate);
      weight.zeroGrad();
      bias.zeroGrad();
      if (!Number.isFinite(result.loss)) {
        throw new TrainingDiverged(
          `the loss became ${result.loss} in epoch ${epoch + 1} of ${options.epochs}: try a smaller --lr than ${learningRate}`,
        );
      }
      lossSum += result.loss * batch.labels.length;
      correct += result.correct;
    }
    training.onEpoch?.({ epoch, learningRate, trainLoss: lossSum / count, trainAccuracy: correct / count });
    if (training.onProbe) await training.onProbe(await read());
  }
  return await read();
}

/** One batch forward and backward, `most` images at a time: mean cross-entropy, and how many of its images were right. */
async function step(
  engine: Engine,
  { weight, bias }: { weight: Tensor; bias: Tensor },
  batch: LabelledFeatures,
  most: number,
  l2: number,
): Promise<{ loss: number; correct: number }> {
  const [classes, width] = [weight.rows, weight.columns];
  const count = batch.labels.length;
  let [sum, correct] = [0, 0];
  for (let start = 0; start < count; start += most) {
    const { features, labels } = slice(batch, start, most, width);
    const { loss, logits } = engine.scope(() =>
      engine.withTape((tape) => {
        const logits = linear(engine.tensor(features, [labels.length, width]), weight, bias);
        const losses = crossEntropy(logits, engine.indices(labels));
        const loss = sumRows(losses.reshape([labels.length, 1]), 1 / count);
        const flat = weight.reshape([1, weight.size]);
        // Once for the whole batch.
        const penalty = l2 === 0 || start > 0 ? undefined : groupDot(flat, flat, l2 / 2).reshape([1]);
        tape.backward(penalty ? addScaled(loss, penalty) : loss);
        return { loss, logits };
      }),
    );
    const [[part = Number.NaN], scores] = await Promise.all([loss.read(), logits.read()]);
    sum += part;
    loss.dispose();
    logits.dispose();
    labels.forEach((label, i) => {
      correct += Number(argmax(scores.subarray(i * classes, (i + 1) * classes)) === label);
    });
  }
  return { loss: sum, correct };
}

/** Tensors of the weight's size: in training it, its optimiser's state, three gradients being added up and what comes of them. */
const WEIGHT_COPIES = { training: 8, scoring: 2 } as const;

/** Images scored or learned from at once. Throws InputError if the memory, in bytes, does not hold one beside the layer. */
function imagesAtOnce(
  engine: Engine,
  work: keyof typeof WEIGHT_COPIES,
  { classes, width }: Pick<LinearProbe, 'classes' | 'width'>,
  memory: number,
): number {
  const rest = engine.backend.memory.fixedBytes + 4 * WEIGHT_COPIES[work] * classes * width;
  const perImage = bytesPerImage(width, classes) / ROW_SHARE;
  const images = Math.floor((memory - rest) / perImage);
  if (images < 1) throw tooLittleMemory(`a linear layer of ${classes} classes takes`, rest + perImage, memory);
  return images;
}

/** Logits [count, classes] of features [count, width]. `memory` in bytes. Throws InputError if it does not hold the layer. */
export async function probeLogits(
  engine: Engine,
  probe: LinearProbe,
  features: Float32Array,
  memory: number,
): Promise<Float32Array> {
  const { classes, width } = probe;
  const count = features.length / width;
  const most = imagesAtOnce(engine, 'scoring', probe, memory);
  const logits = new Float32Array(count * classes);
  using _limit = engine.workWithin(memory);
  using weight = engine.scope(() => engine.tensor(probe.weight, [classes, width]).share());
  using bias = engine.scope(() => engine.tensor(probe.bias, [classes]).share());
  for (let start = 0; start < count; start += most) {
    const data = features.subarray(start * width, (start + most) * width);
    using part = engine.scope(() => linear(engine.tensor(data, [data.length / width, width]), weight, bias));
    logits.set(await part.read(), start * classes);
  }
  return logits;
}

/** Evaluates a probe on labelled images. `memory` in bytes, as `probeLogits` takes it. */
export async function evaluateProbe(
  engine: Engine,
  probe: LinearProbe,
  images: LabelledFeatures,
  memory: number,
): Promise<Evaluation> {
  const logits = await probeLogits(engine, probe, images.features, memory);
  return evaluate(logits, images.labels, probe.classes, images.votes);
}

/** A probe evaluated. */
export interface ProbeResult {
  probe: LinearProbe;
  evaluation: Evaluation;
  learningRate: number;
  /** The rates that validation chose between; empty if one was given. */
  choice: RateChoice[];
}

/** A cell of Table 4: one encoder on one data set. */
export interface ProbeCell extends ProbeTraining {
  /** Rates to choose from by validation; the one of `options` where undefined. */
  rates?: readonly number[] | undefined;
  validation?: LabelledFeatures | undefined;
  test: LabelledFeatures;
}

/**
 * One cell of Table 4: trained, with the learning rate that does best on the validation images if there is a choice, and evaluated
 * on the test images. Without validation images the choice is made on a tenth of the training images of each class, drawn by the
 * seed, and the chosen rate is trained once more on all of them. Throws InputError if no class has two images to hold one out of.
 */
export async function probeCell(cell: ProbeCell): Promise<ProbeResult> {
  const { engine, rates, validation, test, options } = cell;
  const chosen = !rates
    ? { probe: await trainProbe(cell), learningRate: options.learningRate, choice: [] }
    : validation
      ? await chooseRate({ ...cell, rates, validation })
      : await chooseHoldingOut({ ...cell, rates });
  return { ...chosen, evaluation: await evaluateProbe(engine, chosen.probe, test, cell.memory) };
}

async function chooseHoldingOut(
  training: ProbeTraining & { rates: readonly number[] },
): Promise<Omit<ProbeResult, 'evaluation'>> {
  const { train, width, options } = training;
  const { fit, held } = holdOut(
    Array.from(train.labels, (label, place) => ({ label, place })),
    options.seed,
  );
  if (held.length === 0) {
    throw new InputError(
      '--lr auto: expected validation images, or a class with two training images to hold one out of; found neither. Name a rate',
    );
  }
  const part = (images: readonly { label: number; place: number }[]): LabelledFeatures => {
    const features = new Float32Array(images.length * width);
    images.forEach(({ place }, i) => {
      features.set(train.features.subarray(place * width, (place + 1) * width), i * width);
    });
    return { features, labels: Int32Array.from(images, ({ label }) => label) };
  };
  const { learningRate, choice } = await chooseRate({ ...training, train: part(fit), validation: part(held) });
  return { probe: await trainProbe({ ...training, options: { ...options, learningRate } }), learningRate, choice };
}

/**
 * Trains with each of the rates and takes the one that does best on the validation images; of rates that do equally well the one with
 * the lower loss, then the first. A rate that diverges is excluded. Throws TrainingDiverged if all diverge.
 */
export async function chooseRate(
  training: ProbeTraining & { rates: readonly number[]; validation: LabelledFeatures },
): Promise<Omit<ProbeResult, 'evaluation'>> {
  const { engine, rates, validation, options } = training;
  const choice: RateChoice[] = [];
  const probes = new Map<number, LinearProbe>();
  for (const learningRate of rates) {
    let probe: LinearProbe;
    try {
      probe = await trainProbe({ ...training, options: { ...options, learningRate } });
      probes.set(learningRate, probe);
    } catch (error) {
      if (!(error instanceof TrainingDiverged)) throw error;
      continue;
    }
    const { accuracy, loss } = await evaluateProbe(engine, probe, validation, training.memory);
    choice.push({ learningRate, valAccuracy: accuracy, valLoss: loss });
  }
  if (choice.length === 0)
    throw new TrainingDiverged(`training diverged at each of the learning rates ${rates.join(', ')}`);
  const learningRate = bestRate(choice);
  return { probe: probes.get(learningRate)!, learningRate, choice };
}
