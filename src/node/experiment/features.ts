/** The image features of an experiment: encoded once for all tasks, whichever process is first, and read once by each process. */
import { join } from 'node:path';
import type { LabelledPath } from '../../ptdpc/datasets/index.js';
import type { FrozenEncoder } from '../../ptdpc/experiment/index.js';
import { type ClassName, normalizedFeatures } from '../../ptdpc/index.js';
import { writeFileAtomically } from '../atomic.js';
import { exists } from '../checkpoint-files.js';
import type { EncodedImages } from '../encode-images.js';
import { type EncodedSplit, encodeFiles, labelled } from '../encode-splits.js';
import { sha256 } from '../feature-segment.js';
import type { SkippedImage } from '../image-files.js';
import type { WorkContext } from './context.js';

/** The feature of a readable image, not normalised, the SHA-256 of its file, and whether that is cut short. */
interface KnownFeature {
  feature: Float32Array;
  hash: string;
  isCut: boolean;
}

/** By path. */
type KnownFeatures = Map<string, KnownFeature | SkippedImage>;

export class ExperimentFeatures {
  /** Of one data set at a time. */
  readonly #known = new Map<FrozenEncoder, KnownFeatures>();
  #root: string | undefined;

  constructor(private readonly place: WorkContext) {}

  /** The model's joint features, normalised: what prompts are tuned on. Otherwise as `raw`. */
  async normalized(
    root: string,
    parts: readonly (readonly LabelledPath[])[],
    classes: readonly ClassName[],
  ): Promise<EncodedSplit[]> {
    const { projectionDim } = this.place.model.config;
    const splits = await this.raw('clip-joint', root, parts, classes);
    return splits.map((split) => ({ ...split, features: normalizedFeatures(split.features, projectionDim) }));
  }

  /**
   * The features that an encoder gives, of parts of the data set at `root`, with their labels. Unreadable images are left out, or refused
   * by a strict plan.
   */
  async raw(
    encoder: FrozenEncoder,
    root: string,
    parts: readonly (readonly LabelledPath[])[],
    classes: readonly ClassName[],
  ): Promise<EncodedSplit[]> {
    if (this.#root !== root) this.#known.clear();
    this.#root = root;
    const known: KnownFeatures = this.#known.get(encoder) ?? new Map();
    this.#known.set(encoder, known);
    const paths = [...new Set(parts.flatMap((images) => images.map(({ path }) => path)))];
    const unknown = paths.filter((path) => !known.has(path));
    // The way to the joint features leads through the pooled ones, so one pass gives both.
    if (encoder === 'clip-pooled' && unknown.length > 0) await this.raw('clip-joint', root, parts, classes);
    const { width } = this.place.encoders.get(encoder)!;
    if (unknown.length > 0) {
      const { features, paths, hashes, skipped, truncated } = await this.#encode(encoder, root, unknown);
      const cut = new Set(truncated);
      paths.forEach((path, row) => {
        const feature = features.subarray(row * width, (row + 1) * width);
        known.set(path, { feature, hash: hashes[row]!, isCut: cut.has(path) });
      });
      for (const image of skipped) known.set(image.path, image);
    }
    return parts.map((images) => labelled(featuresOf(images, known, width), images, classes));
  }

  /** Encodes images; processes that share the cache wait for the first one instead of encoding the same images. */
  async #encode(name: FrozenEncoder, root: string, paths: readonly string[]): Promise<EncodedImages> {
    const { encoders, engine, cacheDirectory, claims, folder, wantsPooled } = this.place;
    const model = encoders.get(name)!;
    const alsoKeep = name === 'clip-joint' && wantsPooled ? encoders.get('clip-pooled') : undefined;
    const encode = () => encodeFiles({ ...this.place, model, alsoKeep }, paths);
    // One claim for both kinds of features of a model: whoever comes second finds the pooled ones too.
    const claim = `features-${sha256(JSON.stringify([root, await model.hash(), engine.backend.arithmetic])).slice(0, 16)}`;
    // Of these images: what one task has encoded may be a part of the data set, and the next one waits for the rest all the same.
    const which = sha256([...paths].sort().join('\n')).slice(0, 16);
    const marker = join(folder.claims, `${claim}.${name}.${which}.done`);
    if (await exists(marker)) return await encode();
    await using _claim = await claims.claim(claim);
    const encoded = await encode();
    await writeFileAtomically(marker, `${root}\n${engine.backend.description}\n${cacheDirectory}\n`);
    return encoded;
  }
}

/** The features [images, width] of the readable ones of some images. */
function featuresOf(images: readonly LabelledPath[], known: KnownFeatures, width: number) {
  const read: (KnownFeature & { path: string })[] = [];
  const skipped: SkippedImage[] = [];
  for (const { path } of images) {
    const found = known.get(path)!;
    if ('feature' in found) read.push({ path, ...found });
    else skipped.push(found);
  }
  const features = new Float32Array(read.length * width);
  read.forEach(({ feature }, row) => {
    features.set(feature, row * width);
  });
  const pathsOf = (images: typeof read) => images.map(({ path }) => path);
  const truncated = pathsOf(read.filter(({ isCut }) => isCut));
  return { features, paths: pathsOf(read), hashes: read.map(({ hash }) => hash), skipped, truncated };
}
