/**
 * How a batch is cut into pieces that fit a memory budget. The gradient is a sum over images, so pieces of images add
 * up exactly; where not even one image with all its classes fits, classes are cut too (see step.ts).
 */

import type { TextTower } from '../clip/towers/index.js';
import { InputError } from '../errors.js';
import type { ClassRange, PromptModel } from './prompt-model.js';

export interface BatchPlan {
  /** Images per piece. */
  images: number;
  /** Runs of classes per piece; one run if all classes fit. */
  classRuns: ClassRange[];
}

/** Share for rows of what is left beside the rest: a device rounds sizes up by at most an eighth, or
 * leaves gaps. */
const ROW_SHARE = 0.8;

/** Tensors of the prompts' size: two gradients being added up, their directions' values and gradients, optimiser state. */
const PROMPT_COPIES = 7;

/** `bytesPerRow` of the text tower and a budget in bytes decide the cut of a batch of `batch` images. */
export function planBatch(model: PromptModel, batch: number, budget: number, bytesPerRow: number): BatchPlan {
  const { suffixes, prefix } = model.frozen;
  // Nothing that changes as memory is used: a resumed run must cut its batches as the first one did.
  const rest =
    model.engine.backend.memory.fixedBytes + model.tower.largestWeightBytes + 4 * PROMPT_COPIES * model.prompts.size;
  const most = Math.floor(((budget - rest) * ROW_SHARE) / bytesPerRow);
  // In mode `cs` every class brings a prefix of its own; elsewhere a piece has one per image (or one in all).
  const ownPrefix = model.options.mode === 'cs' ? prefix : 0;
  const shared = prefix - ownPrefix;
  const classRuns: ClassRange[] = [];
  let run = { start: 0, end: 0 };
  let rows = shared;
  suffixes.forEach((suffix, c) => {
    const more = suffix.rows + ownPrefix;
    if (shared + more > most) {
      const need = ((shared + more) * bytesPerRow) / ROW_SHARE + rest;
      throw new InputError(
        `--memory: one prompt of this model needs at least ${mebibytes(need)} MiB, found ${(budget / 2 ** 20).toFixed(1)} MiB`,
      );
    }
    if (rows + more > most) {
      classRuns.push(run);
      run = { start: c, end: c };
      rows = shared;
    }
    run = { start: run.start, end: c + 1 };
    rows += more;
  });
  classRuns.push(run);
  if (!model.perImage) return { images: batch, classRuns };
  return { images: classRuns.length > 1 ? 1 : Math.min(batch, Math.floor(most / rows)), classRuns };
}

/** How many texts of up to `tokens` tokens are encoded at a time in a budget of bytes: at least one. */
export function textsPerBatch(tower: TextTower, budget: number, tokens: number): number {
  const rest = tower.engine.backend.memory.fixedBytes + tower.largestWeightBytes;
  const rows = ((budget - rest) * ROW_SHARE) / tower.inferenceBytesPerRow;
  return Math.max(1, Math.floor(rows / Math.max(1, tokens)));
}

/** Rounded up to a tenth, so that what is said to suffice does. */
export function mebibytes(bytes: number): string {
  return (Math.ceil((10 * bytes) / 2 ** 20) / 10).toFixed(1);
}
