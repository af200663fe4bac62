/** Encoded images with their labels: what training and evaluation work on. */
import { InputError } from '../errors.js';
import type { ClassName, LabelledFeatures, LabelledPath } from '../ptdpc/index.js';
import type { EncodedImages } from './encode-images.js';
import type { SkippedImage } from './image-files.js';

export interface EncodedSplit extends LabelledFeatures {
  paths: readonly string[];
  /** SHA-256 of each file, in hexadecimal. */
  hashes: readonly string[];
  skipped: readonly SkippedImage[];
  /** Those of `paths` whose files are cut short and were read so. */
  truncated: readonly string[];
}

/**
 * Gives encoded images their labels back, skipped ones left out. Throws InputError if nothing
 * of a class could be read.
 */
export function labelled(
  encoded: Pick<EncodedImages, 'features' | 'paths' | 'hashes' | 'skipped' | 'truncated'>,
  images: readonly LabelledPath[],
  classes: readonly ClassName[],
): EncodedSplit {
  const { paths, hashes, skipped, truncated } = encoded;
  const labelOf = new Map(images.map(({ path, label }) => [path, label]));
  const labels = Int32Array.from(paths, (path) => labelOf.get(path)!);
  const present = new Set(labels);
  const reasonOf = new Map(skipped.map(({ path, reason }) => [path, reason]));
  for (const { path, label } of images) {
    if (!present.has(label)) {
      throw new InputError(
        `class "${classes[label]?.folder}": none of its images could be read; the first one: ${reasonOf.get(path)}`,
      );
    }
  }
  return { features: encoded.features, labels, paths, hashes, skipped, truncated };
}
