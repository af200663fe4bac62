/** The image features of an experiment: encoded once for all tasks, whichever process is first, and read once by each process. */
import { join } from 'node:path';
import type { LabelledPath } from '../../ptdpc/datasets/index.js';
import { type ClassName, normalizedFeatures } from '../../ptdpc/index.js';
import { writeFileAtomically } from '../atomic.js';
import { exists } from '../checkpoint-files.js';
import type { EncodedImages } from '../encode-images.js';
import { encodeFiles } from '../encode-splits.js';
import { sha256 } from '../feature-segment.js';
import type { SkippedImage } from '../image-files.js';
import { type EncodedSplit, labelled } from '../labelled-images.js';
import type { Workplace } from './workplace.js';

export class ExperimentFeatures {
  /** By path, the feature [projectionDim] of a readable image. Of one data set at a time. */
  readonly #known = new Map<string, Float32Array | SkippedImage>();
  #root: string | undefined;

  constructor(private readonly place: Workplace) {}

  /** The features of parts of the data set at `root`, with their labels. Unreadable images are left out, or refused by a strict plan. */
  async splits(
    root: string,
    parts: readonly (readonly LabelledPath[])[],
    classes: readonly ClassName[],
  ): Promise<EncodedSplit[]> {
    if (this.#root !== root) this.#known.clear();
    this.#root = root;
    const paths = [...new Set(parts.flatMap((images) => images.map(({ path }) => path)))];
    const unknown = paths.filter((path) => !this.#known.has(path));
    if (unknown.length > 0) await this.#encode(root, unknown);
    return parts.map((images) => this.#split(images, classes));
  }

  #split(images: readonly LabelledPath[], classes: readonly ClassName[]): EncodedSplit {
    const width = this.place.model.config.projectionDim;
    const readable: string[] = [];
    const skipped: SkippedImage[] = [];
    for (const { path } of images) {
      const known = this.#known.get(path)!;
      if (known instanceof Float32Array) readable.push(path);
      else skipped.push(known);
    }
    const features = new Float32Array(readable.length * width);
    readable.forEach((path, row) => {
      features.set(this.#known.get(path) as Float32Array, row * width);
    });
    const normalized = normalizedFeatures(features, width);
    return labelled({ features: normalized, paths: readable, skipped }, images, classes);
  }

  /** Encodes images; processes that share the cache wait for the first one instead of encoding the same images. */
  async #encode(root: string, paths: readonly string[]): Promise<void> {
    const { model, engine, cacheDirectory, claims, folder } = this.place;
    const device = engine.backend.description;
    const name = `features-${sha256(JSON.stringify([root, await model.hash(), device])).slice(0, 16)}`;
    const marker = join(folder.claims, `${name}.done`);
    if (await exists(marker)) return this.#keep(await encodeFiles(this.place, paths));
    await using _claim = await claims.claim(name);
    this.#keep(await encodeFiles(this.place, paths));
    await writeFileAtomically(marker, `${root}\n${device}\n${cacheDirectory}\n`);
  }

  #keep({ features, paths, skipped }: EncodedImages): void {
    const { projectionDim } = this.place.model.config;
    paths.forEach((path, row) => {
      this.#known.set(path, features.subarray(row * projectionDim, (row + 1) * projectionDim));
    });
    for (const image of skipped) this.#known.set(image.path, image);
  }
}
