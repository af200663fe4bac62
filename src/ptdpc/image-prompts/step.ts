/**
 * Loss and gradient of a batch of pictures, in chunks that fit the memory budget. A gradient is a sum over images, so chunks add up exactly. Where the texts
 * are learned too and do not fit beside them, they are encoded first, without a tape; the images' chunks then leave the gradient of the text
 * features, with which ranges of classes are encoded again and backpropagated (as in GradCache: Gao et al., 2021).
 */
import { pixelBytes } from '../../encoders/encoder.js';
import { visionBytesPerImage } from '../../encoders/vision-transformer.js';
import { crossEntropy, matmul, slice, type Tensor } from '../../tensor/index.js';
import { span } from '../../trace.js';
import { bytesPerImage, classRunsWithin, PROMPT_COPIES, ROW_SHARE, TEXT_COPIES, tooLittleMemory } from '../budget.js';
import { finiteLogits } from '../features.js';
import type { ClassRange } from '../prompt-model.js';
import { eachOf, inPieces, type PieceResult, type StartedBatch } from '../step.js';
import type { ImagePromptModel } from './model.js';
import { allTextFeatures } from './texts.js';

/** Images [size, size] from `modelPixels`, and their classes. */
export interface PixelBatch {
  readonly pixels: readonly Int32Array[];
  readonly labels: Int32Array;
}

/** How a batch is split. */
export interface ImagePlan {
  /** Images per chunk. */
  readonly images: number;
  /** Ranges of classes, of texts that are learned. */
  readonly classRuns: readonly ClassRange[];
  /** True if texts and all images are one forward and backward pass, or if texts are not learned. */
  readonly whole: boolean;
}

/** Plans a batch of so many images for a budget in bytes, beside the weights. Throws InputError if one image or one class does not fit. */
export function planImages(model: ImagePromptModel, batch: number, budget: number): ImagePlan {
  const { vision, joint, classes, tokens } = model;
  const { learned } = model.texts;
  const perImage =
    vision.trainingBytesPerImage(tokens) + pixelBytes(vision.config.imageSize) + bytesPerImage(joint, classes);
  const rest = restBytes(model);
  const room = (budget - rest) * ROW_SHARE;
  const images = Math.min(batch, Math.floor(room / perImage));
  if (images < 1) throw tooLittleMemory('training on one image needs', perImage / ROW_SHARE + rest, budget);
  if (!learned) return { images, classRuns: [], whole: true };
  const { classRows, sharedRows, trainingBytesPerRow: perRow } = learned;
  const classRuns = classRunsWithin(classRows, sharedRows, Math.floor(room / perRow));
  const most = classRows.reduce((a, b) => Math.max(a, b));
  if (!classRuns)
    throw tooLittleMemory('training with one text needs', ((sharedRows + most) * perRow) / ROW_SHARE + rest, budget);
  const rows = classRows.reduce((sum, own) => sum + own, sharedRows);
  return { images, classRuns, whole: images === batch && rows * perRow + batch * perImage <= room };
}

/** Bytes that neither images nor rows of texts need: see `planBatch`. All text features are on the device at once. */
function restBytes({ engine, vision, texts, size, joint, classes }: ImagePromptModel): number {
  const largest = Math.max(vision.largestWeightBytes, texts.learned?.tower.largestWeightBytes ?? 0);
  const { fixedBytes } = engine.backend.memory;
  const frozen = texts.learned?.frozenBytes ?? 0;
  return fixedBytes + largest + frozen + 4 * (PROMPT_COPIES * size + TEXT_COPIES * joint * classes);
}

/** Throws InputError if the budget, in bytes, is too small for one image. Call it before long work. */
export function requireImageMemory(model: ImagePromptModel, budget: number): void {
  planImages(model, 1, budget);
}

/**
 * Adds the gradient of the batch's mean cross-entropy to the parameters' gradients. Exact for any budget. The caller awaits `result`, which may
 * come after the update has been queued.
 */
export async function startImageGradient(
  model: ImagePromptModel,
  batch: PixelBatch,
  budget: number,
): Promise<StartedBatch> {
  const { engine, classes, joint } = model;
  const count = batch.labels.length;
  const all = { start: 0, end: classes };
  using _limit = engine.workWithin(budget);
  const { images, whole, classRuns } = planImages(model, count, budget);
  const { learned } = model.texts;
  if (whole || !learned)
    return await inPieces(count, classes, images, (start) =>
      piece(model, partOf(batch, start, images), count, () => model.texts.features(all)),
    );
  const features = await allTextFeatures(learned, budget, restBytes(model));
  using leaf = engine.parameter(features, [classes, joint]);
  const started = await inPieces(count, classes, images, (start) =>
    piece(model, partOf(batch, start, images), count, () => leaf),
  );
  const atTexts = leaf.grad;
  if (!atTexts) throw new Error('the texts have no gradient');
  for (const run of classRuns) {
    engine.scope(() => {
      const upstream = slice(atTexts, 0, run.start, run.end);
      engine.withTape((tape) => tape.backward(learned.features(run), upstream));
    });
  }
  leaf.zeroGrad();
  return started;
}

/** Forward and backward of a chunk of images. */
function piece(
  model: ImagePromptModel,
  { pixels, labels }: PixelBatch,
  count: number,
  texts: () => Tensor,
): PieceResult {
  const { engine, logitScale } = model;
  return engine.scope(() =>
    engine.withTape((tape) => {
      const { logits, losses } = forward();
      tape.backward(losses, eachOf(losses, count));
      return { logits, losses };
    }),
  );

  function forward(): PieceResult {
    using _ = span('forward', { images: labels.length });
    return engine.scope(() => {
      const logits = matmul(model.features(pixels), texts(), { transposeB: true, alpha: logitScale });
      return { logits, losses: crossEntropy(logits, engine.indices(labels)) };
    });
  }
}

function partOf({ pixels, labels }: PixelBatch, start: number, count: number): PixelBatch {
  return { pixels: pixels.slice(start, start + count), labels: labels.subarray(start, start + count) };
}

/** A larger chunk is not faster on any device. */
const LARGEST_CHUNK = 32;

/**
 * Logits [count, classes] without gradient, of images that `pixels` gives by their places. Throws NonFiniteError if one is NaN or infinite, and InputError if
 * one image does not fit `budget` bytes.
 */
export async function predictImages(
  model: ImagePromptModel,
  count: number,
  pixels: (start: number, end: number) => Promise<readonly Int32Array[]>,
  budget: number,
): Promise<Float32Array> {
  const { engine, classes, joint, tokens, vision, logitScale } = model;
  using _limit = engine.workWithin(budget);
  const perImage = visionBytesPerImage(vision.config, tokens) + bytesPerImage(joint, classes);
  const rest = restBytes(model);
  const images = Math.min(LARGEST_CHUNK, Math.floor(((budget - rest) * ROW_SHARE) / perImage));
  if (images < 1) throw tooLittleMemory('encoding one image needs', perImage / ROW_SHARE + rest, budget);
  const { learned } = model.texts;
  const known = learned && (await allTextFeatures(learned, budget, rest));
  using texts = engine.scope(() =>
    known ? engine.tensor(known, [classes, joint]) : model.texts.features({ start: 0, end: classes }),
  );
  const logits = new Float32Array(count * classes);
  for (let start = 0; start < count; start += images) {
    const some = await pixels(start, Math.min(count, start + images));
    using part = engine.scope(() => matmul(model.features(some), texts, { transposeB: true, alpha: logitScale }));
    logits.set(await part.read(), start * classes);
  }
  return finiteLogits(logits);
}
