/**
 * Splits a batch into chunks that fit a memory budget. The gradient is a sum over images, so chunks of images add up
 * exactly; if the texts of a chunk do not fit, classes are split too (see step.ts).
 */
import { InputError } from '../errors.js';
import type { ClassRange, PromptModel } from './prompt-model.js';

export interface BatchPlan {
  /** Images per chunk. */
  images: number;
  /** Class ranges per chunk; a single one if all classes fit. */
  classRuns: ClassRange[];
  /** True if a chunk with all of its classes is processed in a single forward and backward pass. */
  whole: boolean;
}

/**
 * Fraction of the memory left for rows of texts, images or classes that is used: a device rounds sizes up by at most an eighth, or
 * leaves gaps.
 */
export const ROW_SHARE = 0.8;

/** Tensors of the prompts' size: two gradients being added, the normalised prompts and their gradient, optimiser state. */
export const PROMPT_COPIES = 7;

/** Tensors of the size of a range's text features: the features, their copy packed for the product, two gradients and their sum. */
export const TEXT_COPIES = 5;

/** Plans a batch of `batch` images for a budget in bytes, given the text tower's bytes per row. */
export function planBatch(model: PromptModel, batch: number, budget: number, bytesPerRow: number): BatchPlan {
  const { suffixes, prefix } = model.frozen;
  const width = model.joint;
  // Does not depend on current memory use, so that a resumed run splits its batches in the same way.
  const rest = model.engine.backend.memory.fixedBytes + model.tower.largestWeightBytes + 4 * PROMPT_COPIES * model.size;
  const room = (budget - rest) * ROW_SHARE;
  const most = Math.floor(room / bytesPerRow);
  const refused = (bytes: number) =>
    tooLittleMemory('one prompt of this model needs at least', bytes / ROW_SHARE + rest, budget);
  // In mode `cs` every class has its own prefix; in other modes a chunk has one per image, or one in total.
  const ownPrefix = model.options.mode === 'cs' ? prefix : 0;
  const shared = prefix - ownPrefix;
  const ofClasses = suffixes.map(({ length }) => length + ownPrefix);
  const classRuns = classRunsWithin(ofClasses, shared, most);
  if (!classRuns) throw refused((shared + ofClasses.reduce((a, b) => Math.max(a, b))) * bytesPerRow);
  const rows = ofClasses.reduce((sum, own) => sum + own, shared);
  const one = classRuns.length === 1;
  if (model.perImage) return { images: one ? Math.min(batch, Math.floor(most / rows)) : 1, classRuns, whole: one };
  // All images of a batch are compared with the same texts, which stay on the device while images come in chunks.
  const perImage = bytesPerImage(width, model.classes) * (model.options.guide?.kind === 'prograd' ? 3 : 1);
  if (one && rows * bytesPerRow + batch * perImage <= room) return { images: batch, classRuns, whole: true };
  const texts = 4 * TEXT_COPIES * width * classRuns.reduce((most, { start, end }) => Math.max(most, end - start), 0);
  const images = Math.floor((room - texts) / perImage);
  if (images < 1) throw refused(texts + perImage);
  return { images: Math.min(batch, images), classRuns, whole: false };
}

/**
 * Ranges of classes, each as long as possible, with at most so many rows together: `shared` of a range and those of its classes. Undefined if not even
 * every class alone has room.
 */
export function classRunsWithin(ofClasses: readonly number[], shared: number, most: number): ClassRange[] | undefined {
  const runs: ClassRange[] = [];
  let run = { start: 0, end: 0 };
  let rows = shared;
  for (const [c, own] of ofClasses.entries()) {
    if (shared + own > most) return undefined;
    if (rows + own > most) {
      runs.push(run);
      run = { start: c, end: c };
      rows = shared;
    }
    run = { start: run.start, end: c + 1 };
    rows += own;
  }
  return [...runs, run];
}

/**
 * Bytes per image, excluding texts: its feature, in transit and on the device; its logits, softmax twice, their gradients, and the results
 * that are read back.
 */
export function bytesPerImage(width: number, classes: number): number {
  return 4 * (3 * width + 8 * classes);
}

/** MiB rounded up to a tenth, so that the amount in a message is sufficient. */
export function mebibytes(bytes: number): string {
  return (Math.ceil((10 * bytes) / 2 ** 20) / 10).toFixed(1);
}

/** An error like "--memory: encoding one image with this model needs 7.3 MiB, found 4.0 MiB"; sizes in bytes. */
export function tooLittleMemory(what: string, need: number, found: number): InputError {
  return new InputError(`--memory: ${what} ${mebibytes(need)} MiB, found ${(found / 2 ** 20).toFixed(1)} MiB`);
}
