/** The loss of a batch and its gradient, in pieces that fit the memory budget. */
import { crossEntropy, softmax, sumRows, type Tensor } from '../tensor/index.js';
import { type BatchPlan, planBatch } from './budget.js';
import { finiteLogits } from './finite.js';
import type { PromptModel } from './prompt-model.js';

/** What a batch gave, besides its gradient. */
export interface BatchResult {
  /** Mean over the batch. */
  loss: number;
  /** [batch, classes], before any softmax. */
  logits: Float32Array;
}

/** Images as rows: features [count, width], normalised, and labels [count]. */
export interface LabelledFeatures {
  features: Float32Array;
  labels: Int32Array;
}

/**
 * Adds the gradient of the batch's mean loss to the prompts' and returns loss and logits. Exact whatever the budget: pieces of
 * images are summed; where one image's classes do not fit together, see `inClassRuns`.
 */
export async function accumulateGradient(
  model: PromptModel,
  batch: LabelledFeatures,
  budget: number,
): Promise<BatchResult> {
  const count = batch.labels.length;
  using _limit = model.engine.workWithin(budget);
  const plan = planBatch(model, count, budget, model.tower.trainingBytesPerRow);
  const pieces: PieceResult[] = [];
  for (let start = 0; start < count; start += plan.images) {
    const piece = slice(batch, start, Math.min(plan.images, count - start), model.prompts.columns);
    if (plan.classRuns.length === 1) pieces.push(whole(model, piece, count));
    else pieces.push(await inClassRuns(model, piece, count, plan));
  }
  const result: BatchResult = { loss: 0, logits: new Float32Array(count * model.classes) };
  let at = 0;
  for (const { losses, logits } of pieces) {
    for (const loss of await losses.read()) result.loss += loss / count;
    const values = await logits.read();
    result.logits.set(values, at);
    at += values.length;
    losses.dispose();
    logits.dispose();
  }
  return result;
}

/** Throws InputError where not even one prompt of the model can be trained in this budget of bytes. To be asked before long work. */
export function requireTrainingMemory(model: PromptModel, budget: number): void {
  planBatch(model, 1, budget, model.tower.trainingBytesPerRow);
}

interface PieceResult {
  losses: Tensor;
  logits: Tensor;
}

/** Forward and backward in one pass. */
function whole(model: PromptModel, piece: LabelledFeatures, count: number): PieceResult {
  const { engine } = model;
  return engine.scope(() =>
    engine.withTape((tape) => {
      const logits = model.logits(engine.tensor(piece.features, [piece.labels.length, model.prompts.columns]));
      const losses = lossesOf(model, logits, piece.labels);
      tape.backward(sumRows(losses.reshape([losses.size, 1]), 1 / count));
      return { losses, logits };
    }),
  );
}

/**
 * Two passes: first the logits, run of classes by run, keeping nothing else; then, with the loss's gradient at all logits
 * known, each run once more with its part of that gradient sent back (the idea of GradCache: Gao et al., 2021).
 */
async function inClassRuns(
  model: PromptModel,
  piece: LabelledFeatures,
  count: number,
  plan: BatchPlan,
): Promise<PieceResult> {
  const { engine, classes } = model;
  const images = piece.labels.length;
  const features = engine.scope(() => engine.tensor(piece.features, [images, model.prompts.columns]).share());
  const all = new Float32Array(images * classes);
  for (const run of plan.classRuns) {
    const part = model.logits(features, run);
    const values = await part.read();
    part.dispose();
    const columns = run.end - run.start;
    for (let i = 0; i < images; i++) all.set(values.subarray(i * columns, (i + 1) * columns), i * classes + run.start);
  }

  const logits = engine.parameter(all, [images, classes]);
  const losses = engine.scope(() =>
    engine.withTape((tape) => {
      const losses = lossesOf(model, logits, piece.labels);
      tape.backward(sumRows(losses.reshape([losses.size, 1]), 1 / count));
      return losses;
    }),
  );
  const gradient = await logits.grad!.read();
  logits.zeroGrad();

  for (const run of plan.classRuns) {
    const columns = run.end - run.start;
    const part = new Float32Array(images * columns);
    for (let i = 0; i < images; i++) {
      part.set(gradient.subarray(i * classes + run.start, i * classes + run.end), i * columns);
    }
    engine.scope(() =>
      engine.withTape((tape) => tape.backward(model.logits(features, run), engine.tensor(part, [images, columns]))),
    );
  }
  features.dispose();
  return { losses, logits };
}

/** Loss of each image, [images]. */
function lossesOf(model: PromptModel, logits: Tensor, labels: Int32Array): Tensor {
  const { engine } = model;
  const scores = model.options.loss === 'double-softmax' ? softmax(logits) : logits;
  return crossEntropy(scores, engine.indices(labels));
}

/** Logits [count, classes] without a gradient, in pieces that fit the budget. Throws NonFiniteError where one is no number. */
export async function predictLogits(model: PromptModel, features: Float32Array, budget: number): Promise<Float32Array> {
  const { engine, classes } = model;
  const width = model.prompts.columns;
  const count = features.length / width;
  using _limit = engine.workWithin(budget);
  const plan = planBatch(model, count, budget, model.tower.inferenceBytesPerRow);
  const logits = new Float32Array(count * classes);
  for (let start = 0; start < count; start += plan.images) {
    const images = Math.min(plan.images, count - start);
    const data = features.subarray(start * width, (start + images) * width);
    for (const run of plan.classRuns) {
      const part = engine.scope(() => model.logits(engine.tensor(data, [images, width]), run));
      const values = await part.read();
      part.dispose();
      const columns = run.end - run.start;
      for (let i = 0; i < images; i++) {
        logits.set(values.subarray(i * columns, (i + 1) * columns), (start + i) * classes + run.start);
      }
    }
  }
  return finiteLogits(logits);
}

/** `count` images from `start`. */
export function slice(batch: LabelledFeatures, start: number, count: number, width: number): LabelledFeatures {
  return {
    features: batch.features.subarray(start * width, (start + count) * width),
    labels: batch.labels.subarray(start, start + count),
  };
}
