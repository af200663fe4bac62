/**
 * How a batch is cut into pieces that fit a memory budget. The gradient is a sum over images, so pieces of images add
 * up exactly; where not even one image with all its classes fits, classes are cut too (see step.ts).
 */
import { InputError } from '../errors.js';
import type { ClassRange, PromptModel } from './prompt-model.js';

export interface BatchPlan {
  /** Images per piece. */
  images: number;
  /** Runs of classes per piece; one run if all classes fit. */
  classRuns: ClassRange[];
}

/** Share of the budget for what is not proportional to rows: prompts, gradients, optimiser state, pooled buffers. */
const ROW_SHARE = 0.85;

/** `bytesPerRow` of the text tower and a budget in bytes decide the cut of a batch of `batch` images. */
export function planBatch(model: PromptModel, batch: number, budget: number, bytesPerRow: number): BatchPlan {
  const { suffixes, prefix } = model.frozen;
  const most = Math.floor((budget * ROW_SHARE) / bytesPerRow);
  // In mode `cs` every class brings a prefix of its own; elsewhere a piece has one per image (or one in all).
  const ownPrefix = model.options.mode === 'cs' ? prefix : 0;
  const shared = prefix - ownPrefix;
  const classRuns: ClassRange[] = [];
  let run = { start: 0, end: 0 };
  let rows = shared;
  suffixes.forEach((suffix, c) => {
    const more = suffix.rows + ownPrefix;
    if (shared + more > most) {
      const need = Math.ceil(((shared + more) * bytesPerRow) / ROW_SHARE / 2 ** 20);
      throw new InputError(
        `--memory: one prompt of this model needs at least ${need} MiB, found ${(budget / 2 ** 20).toFixed(1)} MiB`,
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
