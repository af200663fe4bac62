/** Labelled pictures as the engine keeps them: features, looked at once and used by every tuning. */

import type { Split } from '../../src/demo/index.js';
import {
  type ClassName,
  type ClipModel,
  type Evaluation,
  evaluate,
  type LabelledFeatures,
} from '../../src/ptdpc/index.js';
import type { HeldOut, Scores } from '../protocol.js';

export interface PreparedData {
  readonly classes: readonly ClassName[];
  readonly splits: Readonly<Partial<Record<Split, LabelledFeatures>>>;
}

/** The pictures by which prompts are judged: test, else val. */
export function heldOutOf({ splits }: PreparedData): [Split, LabelledFeatures] | undefined {
  if (splits.test) return ['test', splits.test];
  return splits.val && ['val', splits.val];
}

/** Held-out pictures without tuning and with it. */
export async function compareWithZeroShot(
  clip: ClipModel,
  [split, images]: [Split, LabelledFeatures],
  words: readonly string[],
  template: string,
  tuned: { evaluate(images: LabelledFeatures): Promise<Evaluation> },
): Promise<HeldOut> {
  const { logits } = await clip.zeroShot(images.features, words, template);
  const zeroShot = evaluate(logits, images.labels, words.length);
  return { split, zeroShot: scoresOf(zeroShot), tuned: scoresOf(await tuned.evaluate(images)) };
}

function scoresOf({ count, accuracy, loss, macroF1, confusion }: Evaluation): Scores {
  return { count, accuracy, loss, macroF1, confusion };
}
