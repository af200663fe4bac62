/** The loss of a batch and its gradient, in chunks that fit the memory budget. */
import { add, addScaled, crossEntropy, matmul, slice as sliceOf, softmax, type Tensor } from '../tensor/index.js';
import { span } from '../trace.js';
import { type BatchPlan, planBatch } from './budget.js';
import { setColumns } from './encode.js';
import { finiteLogits } from './features.js';
import { addPenaltyGradient, distancePenalty, divergence, turnGradients } from './guide.js';
import { type LabelledFeatures, requireVotes, slice } from './labelled-features.js';
import type { ClassRange, PromptModel } from './prompt-model.js';
import { votesLoss } from './votes-loss.js';

/** Results of a batch, other than its gradient. */
export interface BatchResult {
  /** Mean over the batch. */
  loss: number;
  /** [batch, classes], before softmax. */
  logits: Float32Array;
}

/** A batch whose gradient the device has been told to compute. */
export interface StartedBatch {
  /** Rejects with DeviceError if the device fails. */
  readonly result: Promise<BatchResult>;
}

/**
 * Adds the gradient of the batch's mean loss to the parameters' gradients and returns loss and logits. Exact for any budget: gradients of
 * chunks of images are summed; for chunks whose classes do not fit, see `inClassRuns`. With ProGrad as the guide it replaces the gradients.
 */
export async function accumulateGradient(
  model: PromptModel,
  batch: LabelledFeatures,
  budget: number,
): Promise<BatchResult> {
  using _limit = model.engine.workWithin(budget);
  const { result } = await startGradient(model, batch, budget);
  return await result;
}

/**
 * `accumulateGradient` without waiting for the last results, so that the caller can queue the update and the next batch meanwhile; it awaits
 * `result` in any case.
 */
export async function startGradient(
  model: PromptModel,
  batch: LabelledFeatures,
  budget: number,
): Promise<StartedBatch> {
  using _limit = model.engine.workWithin(budget);
  const plan = planBatch(model, batch.labels.length, budget, model.tower.trainingBytesPerRow);
  const { guide } = model.options;
  if (guide?.kind !== 'prograd') return await gradientOf(model, batch, plan, taskLoss);
  model.zeroGrad();
  const divergence = await gradientOf(model, batch, plan, knowledgeLoss);
  const along = model.parameters.flatMap(({ grad }) => grad?.share() ?? []);
  try {
    model.zeroGrad();
    const task = await gradientOf(model, batch, plan, taskLoss);
    turnGradients(model.parameters, along, guide.lambda);
    return { result: Promise.all([task.result, divergence.result]).then(([result]) => result) };
  } finally {
    for (const gradient of along) gradient.dispose();
  }
}

/** Losses [images] of logits [images, classes]. */
type Losses = (model: PromptModel, logits: Tensor, images: PieceImages) => Tensor;

/** Images on the device: their features, normalised, and on the host their labels and votes. */
interface PieceImages extends Pick<LabelledFeatures, 'labels' | 'votes'> {
  readonly features: Tensor;
}

async function gradientOf(
  model: PromptModel,
  batch: LabelledFeatures,
  plan: BatchPlan,
  lossesOf: Losses,
): Promise<StartedBatch> {
  const { length } = batch.labels;
  if (plan.whole)
    return await inPieces(length, model.classes, plan.images, (start) =>
      whole(model, slice(batch, start, plan.images, model.joint), length, lossesOf),
    );
  return { result: Promise.resolve(await inClassRuns(model, batch, plan, lossesOf)) };
}

/** Throws InputError if the budget (in bytes) is too small to train even one prompt. Call it before long work. */
export function requireTrainingMemory(model: PromptModel, budget: number): void {
  planBatch(model, 1, budget, model.tower.trainingBytesPerRow);
}

/** What a chunk of images gives: losses [images] and logits [images, classes]. */
export type PieceResult = { losses: Tensor; logits: Tensor };

/**
 * Processes `count` images in chunks of `images`, in turn; the device works on the next while the host waits for the results of the last.
 * `piece` queues the chunk that starts there, with its gradient.
 */
export async function inPieces(
  count: number,
  classes: number,
  images: number,
  piece: (start: number) => PieceResult,
): Promise<StartedBatch> {
  const sum: BatchResult = { loss: 0, logits: new Float32Array(count * classes) };
  const collect = async ({ losses, logits }: PieceResult, start: number) => {
    try {
      const [own, values] = await Promise.all([losses.read(), logits.read()]);
      for (const loss of own) sum.loss += loss / count;
      sum.logits.set(values, start * classes);
      return sum;
    } finally {
      losses.dispose();
      logits.dispose();
    }
  };
  let result = Promise.resolve(sum);
  for (let start = 0; start < count; start += images) {
    const queued = piece(start);
    await result;
    result = collect(queued, start);
    // Whoever awaits it is told; until then, a device that fails is none of the process's business.
    result.catch(() => {});
  }
  return { result };
}

/** Forward and backward in one pass. */
function whole(model: PromptModel, piece: LabelledFeatures, count: number, lossesOf: Losses): PieceResult {
  const { engine } = model;
  return engine.scope(() =>
    engine.withTape((tape) => {
      const result = forward(model, piece, lossesOf);
      tape.backward(result.losses, eachOf(result.losses, count));
      return result;
    }),
  );
}

function forward(
  model: PromptModel,
  { features: data, labels, votes }: LabelledFeatures,
  lossesOf: Losses,
): PieceResult {
  using _ = span('forward', { images: labels.length });
  const { engine, anchors, classes } = model;
  const { guide } = model.options;
  return engine.scope(() => {
    const features = engine.tensor(data, [labels.length, model.joint]);
    const { logits, texts } = model.forward(features);
    const losses = lossesOf(model, logits, { features, labels, votes });
    // A piece is then the whole batch.
    const isPenalised = guide?.kind === 'kgcoop' && anchors !== undefined;
    return {
      losses: isPenalised ? add(losses, distancePenalty(texts, anchors, guide.weight, classes)) : losses,
      logits,
    };
  });
}

/** The gradient of the mean of `count` losses with respect to each of these. */
export function eachOf(losses: Tensor, count: number): Tensor {
  return losses.engine.tensor(new Array<number>(losses.size).fill(1 / count), losses.shape);
}

/**
 * Two passes: the first computes the logits by class ranges and keeps nothing else. Then the gradient of the loss with respect to all
 * logits is known, and the second pass recomputes each range and backpropagates its part (as in GradCache: Gao et al., 2021).
 */
async function inClassRuns(
  model: PromptModel,
  batch: LabelledFeatures,
  plan: BatchPlan,
  lossesOf: Losses,
): Promise<BatchResult> {
  const { engine, classes, joint: width, anchors } = model;
  const { guide } = model.options;
  const count = batch.labels.length;
  const logits = await logitsInPieces(model, batch.features, plan);
  const gradient = new Float32Array(logits.length);
  let loss = 0;
  for (let start = 0; start < count; start += plan.images) {
    const images = slice(batch, start, plan.images, width);
    const { length } = images.labels;
    const rows = logits.subarray(start * classes, (start + length) * classes);
    const part = await lossGradient(model, rows, images, count, lossesOf);
    for (const value of part.losses) loss += value / count;
    gradient.set(part.gradient, start * classes);
  }
  for (const run of plan.classRuns) {
    // Features of a chunk of images, and the gradient of its logits for this class range.
    const pieceAt = (start: number): [Tensor, Tensor] => {
      const { features, labels } = slice(batch, start, plan.images, width);
      const upstream = columnsOf(gradient, classes, run, start, labels.length);
      const columns = run.end - run.start;
      return [engine.tensor(features, [labels.length, width]), engine.tensor(upstream, [labels.length, columns])];
    };
    if (model.perImage) {
      for (let start = 0; start < count; start += plan.images) {
        engine.scope(() => {
          const [features, upstream] = pieceAt(start);
          engine.withTape((tape) => tape.backward(model.logits(features, { classes: run }), upstream));
        });
      }
    } else {
      // First sums the gradient of the text features over all images, so that the texts are encoded only once.
      let sum: Tensor | undefined;
      for (let start = 0; start < count; start += plan.images) {
        const next = engine.scope(() => {
          const [features, upstream] = pieceAt(start);
          const atTexts = matmul(upstream, features, { transposeA: true, alpha: model.logitScale });
          return sum ? addScaled(atTexts, sum) : atTexts;
        });
        sum?.dispose();
        sum = next;
      }
      using penalty = engine.scope(() =>
        engine.withTape((tape) => {
          const texts = model.sharedTexts(run);
          if (guide?.kind !== 'kgcoop' || !anchors || !sum) return void tape.backward(texts, sum);
          const own = sliceOf(anchors, 0, run.start, run.end);
          const penalty = distancePenalty(texts, own, guide.weight, classes);
          tape.backward(texts, addPenaltyGradient(sum, own, guide.weight, classes));
          return penalty;
        }),
      );
      sum?.dispose();
      if (penalty) loss += (await penalty.read())[0]!;
    }
  }
  return { loss, logits };
}

/** Losses [images] for logits [images, classes], and the gradient of their sum divided by `count`. */
async function lossGradient(
  model: PromptModel,
  logits: Float32Array,
  { features, labels, votes }: LabelledFeatures,
  count: number,
  lossesOf: Losses,
): Promise<{ losses: Float32Array; gradient: Float32Array }> {
  const { engine, classes, joint } = model;
  using at = engine.parameter(logits, [labels.length, classes]);
  using losses = engine.scope(() =>
    engine.withTape((tape) => {
      const images = { features: engine.tensor(features, [labels.length, joint]), labels, votes };
      const losses = lossesOf(model, at, images);
      tape.backward(losses, eachOf(losses, count));
      return losses;
    }),
  );
  const [read, gradient] = await Promise.all([losses.read(), at.grad!.read()]);
  at.zeroGrad();
  return { losses: read, gradient };
}

/** What the labels say. */
const taskLoss: Losses = ({ engine, options }, logits, { labels, votes }) => {
  if (options.loss === 'kl') return votesLoss(logits, labels, requireVotes(votes));
  const scores = options.loss === 'double-softmax' ? softmax(logits) : logits;
  return crossEntropy(scores, engine.indices(labels));
};

/** What CLIP's hand-written prompts say, of ProGrad. */
const knowledgeLoss: Losses = ({ options: { guide }, anchors, logitScale }, logits, { features }) => {
  if (guide?.kind !== 'prograd' || !anchors) throw new Error('ProGrad needs the text features of hand-written prompts');
  const teacher = matmul(features, anchors, { transposeB: true, alpha: logitScale });
  return divergence(logits, teacher, guide.temperature);
};

/** Logits [count, classes] without gradient, in chunks that fit the budget. Throws NonFiniteError if one is NaN or infinite. */
export async function predictLogits(model: PromptModel, features: Float32Array, budget: number): Promise<Float32Array> {
  using _limit = model.engine.workWithin(budget);
  const count = features.length / model.joint;
  const plan = planBatch(model, count, budget, model.tower.inferenceBytesPerRow);
  return finiteLogits(await logitsInPieces(model, features, plan));
}

/**
 * Normalised text features [classes, width] on the host, of a model whose texts do not depend on the image: `textScorer` compares any number of
 * images with them.
 */
export async function sharedTextFeatures(model: PromptModel, budget: number): Promise<Float32Array> {
  const { engine, classes } = model;
  const width = model.tower.config.projectionDim;
  const texts = new Float32Array(classes * width);
  using _limit = engine.workWithin(budget);
  for (const run of planBatch(model, 1, budget, model.tower.inferenceBytesPerRow).classRuns) {
    using part = engine.scope(() => model.sharedTexts(run));
    texts.set(await part.read(), run.start * width);
  }
  return texts;
}

/** Logits [count, classes], by class ranges and within them by chunks of images. */
async function logitsInPieces(
  model: PromptModel,
  features: Float32Array,
  { images, classRuns }: BatchPlan,
): Promise<Float32Array> {
  const { engine, classes, joint: width } = model;
  const count = features.length / width;
  const logits = new Float32Array(count * classes);
  for (const run of classRuns) {
    using shared = model.perImage ? undefined : engine.scope(() => model.sharedTexts(run));
    for (let start = 0; start < count; start += images) {
      const data = features.subarray(start * width, (start + images) * width);
      using part = engine.scope(() =>
        model.logits(engine.tensor(data, [data.length / width, width]), { classes: run, shared }),
      );
      setColumns(logits, classes, start, run.start, await part.read(), part.columns);
    }
  }
  return logits;
}

/** A range of columns of some rows of [rows, stride]. */
function columnsOf(whole: Float32Array, stride: number, run: ClassRange, first: number, rows: number): Float32Array {
  const columns = run.end - run.start;
  const part = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    const at = (first + i) * stride;
    part.set(whole.subarray(at + run.start, at + run.end), i * columns);
  }
  return part;
}
