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
  /** Those by which a tuning is watched. */
  readonly watched: WatchedFeatures;
}

/** Features [places, width] of some pictures of a split. */
export interface WatchedFeatures {
  readonly split: Split;
  /** Within the split. */
  readonly places: readonly number[];
  readonly features: Float32Array;
}

/** Pictures by which a tuning is watched, at most. */
const MOST_WATCHED = 24;

/** The first few pictures of each class: of the validation split, else of the test split. Classes take turns until there are enough. */
export function watchedOf({ splits }: Pick<PreparedData, 'splits'>, classes: number): WatchedFeatures {
  const split = splits.val ? 'val' : 'test';
  const { features, labels } = splits[split] ?? { features: new Float32Array(), labels: new Int32Array() };
  const seen = new Array<number>(classes).fill(0);
  const turns = [...labels.keys()].map((place) => ({ place, turn: seen[labels[place]!]!++ }));
  const places = turns
    .sort((a, b) => a.turn - b.turn || labels[a.place]! - labels[b.place]!)
    .slice(0, MOST_WATCHED)
    .map(({ place }) => place)
    .sort((a, b) => labels[a]! - labels[b]! || a - b);
  const width = features.length / labels.length;
  const own = new Float32Array(places.length * (places.length && width));
  places.forEach((place, i) => {
    own.set(features.subarray(place * width, (place + 1) * width), i * width);
  });
  return { split, places, features: own };
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
