/**
 * The images of a split, scored block by block: features, logits and probabilities exist for one block at a time, so that memory grows
 * with the number of images by their names only.
 */
import {
  type ClassName,
  type Evaluation,
  type EvaluationMetrics,
  EvaluationTally,
  type LabelledPath,
  normalizedFeatures,
  stackedDistributions,
} from '../ptdpc/index.js';
import type { Engine } from '../tensor/index.js';
import type { Classifier, Scorer } from './classifier.js';
import type { OpenedDevice } from './device.js';
import {
  type EncodedSplit,
  type EncodingRequest,
  encodeInBlocks,
  imagesPerBlock,
  requireAllClasses,
} from './encode-splits.js';
import type { ImageEncoder } from './image-encoder.js';
import type { SkippedImage } from './image-files.js';
import type { AddPredictions } from './results.js';

/** So many probabilities are kept for the caller: 64 MiB. */
const MOST_KEPT = 2 ** 24;

export interface ScoringRequest extends Omit<EncodingRequest, 'model' | 'engine'> {
  readonly engine: Engine;
  readonly device: OpenedDevice;
  readonly classifier: Classifier;
  /** Scores the same features. */
  readonly baseline?: Pick<Classifier, 'scorer'> | undefined;
}

/** The images that could be read, with their logits [images, classes]. */
export interface ScoredBlock extends Omit<EncodedSplit, 'labels' | 'votes' | 'features'> {
  readonly logits: Float32Array;
  /** Those of the baseline, if there is one. */
  readonly baselineLogits: Float32Array | undefined;
}

/** Scores images in order. What they are compared with is computed once. */
export async function* scoreInBlocks(
  request: ScoringRequest,
  paths: readonly string[],
  most = Number.POSITIVE_INFINITY,
): AsyncGenerator<ScoredBlock> {
  const { classifier, baseline, device, memory, cacheDirectory } = request;
  const { encoder, classes } = classifier;
  let scorer: Scorer | undefined;
  let other: Scorer | undefined;
  using _scorers = {
    [Symbol.dispose]: () => {
      scorer?.[Symbol.dispose]();
      other?.[Symbol.dispose]();
    },
  };
  // A feature as it is read and normalised; a row of logits, probabilities and the numbers that they are made of.
  const rows = (baseline ? 8 : 4) * classes.length;
  const size = Math.min(most, imagesPerBlock(Math.max(2 * encoder.width, rows), memory));
  for await (const block of encodeInBlocks({ ...request, model: encoder }, paths, size)) {
    const { features, ...rest } = block;
    if (rest.paths.length === 0) {
      const none = new Float32Array(0);
      yield { ...rest, logits: none, baselineLogits: baseline && none };
      continue;
    }
    // The baseline first: it frees the text tower, where prompts for each image keep theirs.
    other ??= await baseline?.scorer(device, { memory, cacheDirectory });
    scorer ??= await classifier.scorer(device, { memory, cacheDirectory });
    const compared = normalizedFor(encoder, features);
    yield { ...rest, logits: await scorer.logits(compared), baselineLogits: await other?.logits(compared) };
  }
}

/** Joint features are compared by their cosines; pooled ones are taken as the tower gives them. */
function normalizedFor(encoder: ImageEncoder, features: Float32Array): Float32Array {
  return encoder.features === 'joint' ? normalizedFeatures(features, encoder.width) : features;
}

/** A classifier's evaluation, the baseline's on the same images if there is one, and the images that could be read. */
export interface BlockEvaluation {
  readonly evaluation: Evaluation;
  readonly baseline: EvaluationMetrics | null;
  readonly read: Omit<EncodedSplit, 'features'>;
}

/**
 * Evaluates a classifier on labelled images, passing on each block's predictions, and those of the baseline. `probabilities` is empty where
 * there are more than `MOST_KEPT`. Throws as `encodeSplit` does.
 */
export async function evaluateInBlocks(
  request: ScoringRequest,
  images: readonly LabelledPath[],
  classes: readonly ClassName[],
  add?: AddPredictions,
  addBaseline?: AddPredictions,
): Promise<BlockEvaluation> {
  const imageOf = new Map(images.map((image) => [image.path, image]));
  const tally = new EvaluationTally(classes.length);
  const other = request.baseline && new EvaluationTally(classes.length);
  const keeps = images.length * classes.length <= MOST_KEPT;
  const kept: Float32Array[] = [];
  const [paths, hashes, truncated]: string[][] = [[], [], []];
  const skipped: SkippedImage[] = [];
  const read: LabelledPath[] = [];
  const all = images.map(({ path }) => path);
  for await (const block of scoreInBlocks(request, all)) {
    const ofBlock = block.paths.map((path) => imageOf.get(path)!);
    const own = Int32Array.from(ofBlock, ({ label }) => label);
    const votes = stackedDistributions(ofBlock, classes.length);
    const predictions = tally.add(block.logits, own, votes);
    await add?.({ paths: block.paths, labels: own }, predictions);
    if (other && block.baselineLogits)
      await addBaseline?.({ paths: block.paths, labels: own }, other.add(block.baselineLogits, own, votes));
    if (keeps) kept.push(predictions.probabilities);
    append(paths!, block.paths);
    append(hashes!, block.hashes);
    append(truncated!, block.truncated);
    append(skipped, block.skipped);
    append(read, ofBlock);
  }
  const labels = Int32Array.from(read, ({ label }) => label);
  requireAllClasses(labels, skipped, images, classes);
  // Not by spreading, which would ask for the matrix of all classes.
  const evaluation = Object.assign(tally.metrics(), { probabilities: joined(kept) });
  const votes = stackedDistributions(read, classes.length);
  const found = { labels, votes, paths: paths!, hashes: hashes!, skipped, truncated: truncated! };
  return { evaluation, baseline: other?.metrics() ?? null, read: found };
}

/** One after the other: a call has no room for the items of a large block as its arguments. */
function append<T>(all: T[], items: Iterable<T>): void {
  for (const item of items) all.push(item);
}

function joined(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
