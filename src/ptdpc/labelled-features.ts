/** Images as features with labels, and parts of them: what learners learn from. */
import { InputError } from '../errors.js';

/** Images as normalised features [count, width] and labels [count]. */
export interface LabelledFeatures {
  features: Float32Array;
  labels: Int32Array;
  /** Each class's share of the votes [count, classes], where people voted. */
  votes?: Float32Array | undefined;
  /** Features of other views of the same images, each like `features`: epochs of training take them in turn. */
  views?: readonly Float32Array[] | undefined;
}

/** The votes that `--loss kl` takes. Throws InputError if there are none. */
export function requireVotes<T>(votes: T | undefined): T {
  if (votes === undefined)
    throw new InputError(
      '--loss kl: expected images with votes for their classes (docs/datasets.md), found labels only; --loss ce takes those',
    );
  return votes;
}

/** Up to `count` images, starting at `start`. */
export function slice(batch: LabelledFeatures, start: number, count: number, width: number): LabelledFeatures {
  return {
    features: batch.features.subarray(start * width, (start + count) * width),
    labels: batch.labels.subarray(start, start + count),
    votes: batch.votes?.subarray(start * votesPerImage(batch), (start + count) * votesPerImage(batch)),
  };
}

/** The images as an epoch, counted from 0, has them: their views in turn, if there are any. */
export function imagesOfEpoch(data: LabelledFeatures, epoch: number): LabelledFeatures {
  const { views = [] } = data;
  return { ...data, features: views[epoch % views.length] ?? data.features };
}

/** The batch at [start, start + count) in the given order. */
export function pick(
  data: LabelledFeatures,
  order: Int32Array | undefined,
  start: number,
  count: number,
  width: number,
): LabelledFeatures {
  const features = new Float32Array(count * width);
  const labels = new Int32Array(count);
  const classes = votesPerImage(data);
  const votes = data.votes && new Float32Array(count * classes);
  for (let i = 0; i < count; i++) {
    const image = order ? order[start + i]! : start + i;
    features.set(data.features.subarray(image * width, (image + 1) * width), i * width);
    labels[i] = data.labels[image]!;
    if (data.votes) votes?.set(data.votes.subarray(image * classes, (image + 1) * classes), i * classes);
  }
  return { features, labels, votes };
}

/** The classes that people voted on; 0 without votes. */
const votesPerImage = ({ votes, labels }: LabelledFeatures): number =>
  votes && labels.length > 0 ? votes.length / labels.length : 0;
