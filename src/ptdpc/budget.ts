/**
 * How a batch is cut into pieces that fit a memory budget. The gradient is a sum over images, so pieces of images add
 * up exactly; where not all texts of a piece fit, classes are cut too (see step.ts).
 */
import { InputError } from '../errors.js';
import type { ClassRange, PromptModel } from './prompt-model.js';

export interface BatchPlan {
  /** Images per piece. */
  images: number;
  /** Runs of classes per piece; one run if all classes fit. */
  classRuns: ClassRange[];
  /** True if a piece, with all of its classes, goes forward and backward in one pass. */
  whole: boolean;
}

/**
 * Share of what is left beside the rest for rows of texts, images or classes: a device rounds sizes up by at most an eighth, or
 * leaves gaps.
 */
export const ROW_SHARE = 0.8;

/** Tensors of the prompts' size: two gradients being added up, their directions' values and gradients, optimiser state. */
const PROMPT_COPIES = 7;

/** Tensors of the size of a run's text features: themselves, as the product packs them, two gradients being added up, their sum. */
const TEXT_COPIES = 5;

/** `bytesPerRow` of the text tower and a budget in bytes decide the cut of a batch of `batch` images. */
export function planBatch(model: PromptModel, batch: number, budget: number, bytesPerRow: number): BatchPlan {
  const { suffixes, prefix } = model.frozen;
  const width = model.prompts.columns;
  // Nothing that changes as memory is used: a resumed run must cut its batches as the first one did.
  const rest =
    model.engine.backend.memory.fixedBytes + model.tower.largestWeightBytes + 4 * PROMPT_COPIES * model.prompts.size;
  const room = (budget - rest) * ROW_SHARE;
  const most = Math.floor(room / bytesPerRow);
  const refused = (bytes: number) =>
    tooLittleMemory('one prompt of this model needs at least', bytes / ROW_SHARE + rest, budget);
  // In mode `cs` every class has its own prefix; in other modes a piece has one per image, or one in all.
  const ownPrefix = model.options.mode === 'cs' ? prefix : 0;
  const shared = prefix - ownPrefix;
  const classRuns: ClassRange[] = [];
  let run = { start: 0, end: 0 };
  let rows = shared;
  suffixes.forEach((suffix, c) => {
    const more = suffix.rows + ownPrefix;
    if (shared + more > most) throw refused((shared + more) * bytesPerRow);
    if (rows + more > most) {
      classRuns.push(run);
      run = { start: c, end: c };
      rows = shared;
    }
    run = { start: run.start, end: c + 1 };
    rows += more;
  });
  classRuns.push(run);
  const one = classRuns.length === 1;
  if (model.perImage) return { images: one ? Math.min(batch, Math.floor(most / rows)) : 1, classRuns, whole: one };
  // All images of a batch are compared with the same texts, which therefore stay while images come in pieces.
  const perImage = bytesPerImage(width, model.classes);
  if (one && rows * bytesPerRow + batch * perImage <= room) return { images: batch, classRuns, whole: true };
  const texts = 4 * TEXT_COPIES * width * classRuns.reduce((most, { start, end }) => Math.max(most, end - start), 0);
  const images = Math.floor((room - texts) / perImage);
  if (images < 1) throw refused(texts + perImage);
  return { images: Math.min(batch, images), classRuns, whole: false };
}

/**
 * Bytes of an image among `classes` besides its texts: its feature, on its way to the device and there; its logits, softmax twice, their
 * gradients, and what is read back.
 */
export function bytesPerImage(width: number, classes: number): number {
  return 4 * (3 * width + 8 * classes);
}

/** Rounded up to a tenth, so that the amount in the message is sufficient. */
export function mebibytes(bytes: number): string {
  return (Math.ceil((10 * bytes) / 2 ** 20) / 10).toFixed(1);
}

/** "--memory: to encode one image takes 7.3 MiB, found 4.0 MiB", of sizes in bytes. */
export function tooLittleMemory(what: string, need: number, found: number): InputError {
  return new InputError(`--memory: ${what} ${mebibytes(need)} MiB, found ${(found / 2 ** 20).toFixed(1)} MiB`);
}
