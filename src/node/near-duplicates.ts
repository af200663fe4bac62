/** Near-duplicates in a data set on disk, by the features of a CLIP, which come from the cache where training or evaluation left them. */
import { type Dataset, normalizedFeatures, SPLITS, type Split } from '../ptdpc/index.js';
import { nearestBefore } from '../ptdpc/near-duplicates.js';
import { Engine } from '../tensor/index.js';
import { encodeFiles, type ImageJob } from './encode-splits.js';
import { SILENT } from './events.js';
import type { SkippedImage } from './image-files.js';
import { openModelDirectory } from './model-directory.js';

/** An image of a data set. */
export interface PlacedImage {
  readonly path: string;
  readonly split: Split;
  /** Folder of its class. */
  readonly class: string;
}

/** An image, and the most similar one of the splits before its own (train, val, test), whose file is another one. */
export interface NearDuplicate extends PlacedImage {
  readonly of: PlacedImage;
  /** Cosine of their features. */
  readonly similarity: number;
}

export interface NearDuplicates {
  /** The most similar first. */
  readonly pairs: readonly NearDuplicate[];
  /** Images that were compared, and those that could not be read. */
  readonly count: number;
  readonly skipped: readonly SkippedImage[];
}

export interface NearDuplicatesRequest extends ImageJob {
  readonly dataset: Pick<Dataset, 'splits' | 'classes'>;
  /** Model directory. */
  readonly model: string;
  /** The least cosine of a pair, from -1 to 1. */
  readonly similarity: number;
}

/** Finds the images of a data set that nearly repeat one of a split before theirs. Throws InputError if none of the images can be read. */
export async function nearDuplicates(request: NearDuplicatesRequest): Promise<NearDuplicates> {
  const { dataset, similarity, memory, events = SILENT } = request;
  const { splits, classes } = dataset;
  const placeOf = new Map(
    SPLITS.flatMap((split) => (splits[split] ?? []).map((image) => [image.path, { ...image, split }] as const)),
  );
  await using model = await openModelDirectory(request.model, request.cacheDirectory);
  using device = await request.openDevice();
  const engine = new Engine(device.backend);
  const { paths, hashes, features, skipped } = await encodeFiles({ ...request, engine, model }, [...placeOf.keys()]);
  const width = model.config.projectionDim;
  // Paths are in the order of splits, so each split is a run of rows.
  const rows = SPLITS.map((split) => paths.filter((path) => placeOf.get(path)!.split === split).length);
  const starts = rows.map((_, i) => rows.slice(0, i).reduce((a, b) => a + b, 0));
  const normalized = normalizedFeatures(features, width);
  const groups = rows.map((count, i) => normalized.subarray(starts[i]! * width, (starts[i]! + count) * width));
  const at = ({ group, image }: { group: number; image: number }) => starts[group]! + image;
  using bar = events.progress(paths.length, 'comparing', 'images');
  const found = await nearestBefore(engine, groups, width, {
    ...{ least: similarity, memory },
    isSame: (a, b) => hashes[at(a)] === hashes[at(b)],
    onImages: (images) => bar.tick(images),
  });
  const placed = (row: number): PlacedImage => {
    const { path, split, label } = placeOf.get(paths[row]!)!;
    return { path, split, class: classes[label]!.folder };
  };
  const pairs = found.map((pair) => ({
    ...placed(at(pair)),
    of: placed(at(pair.nearest)),
    similarity: pair.similarity,
  }));
  return { pairs, count: paths.length, skipped };
}
