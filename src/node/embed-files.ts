/** Image files through a CLIP that a program has on a device: `encodeFiles` for the library's users. */
import type { TruncatedImages } from '../clip/image/index.js';
import { type ClipModel, type Dataset, imagesOf, normalizedFeatures, type Split } from '../ptdpc/index.js';
import { encodeFiles, encodeSplit } from './encode-splits.js';
import type { Events } from './events.js';
import type { SkippedImage } from './image-files.js';

/** How files are embedded. */
export interface EmbedFilesOptions {
  /** Where features are kept, so that an image is encoded once (see `defaultCacheDirectory`). Default: nowhere. */
  readonly cache?: string | undefined;
  /** True: the first unreadable image is an InputError. Default: it is skipped. */
  readonly strict?: boolean | undefined;
  /** `read`: images whose files are cut short are read as far as they go. Default: they are skipped. */
  readonly truncated?: TruncatedImages | undefined;
  /** Called with the progress. Default: ignored. */
  readonly events?: Events | undefined;
}

/** Features of image files. */
export interface EmbeddedFiles {
  /** [paths, width], each row of length 1. */
  readonly features: Float32Array;
  /** The readable ones of the given paths, in the given order. */
  readonly paths: readonly string[];
  /** The others, and why. */
  readonly skipped: readonly SkippedImage[];
  /** Those of `paths` whose files are cut short and were read so. */
  readonly truncated: readonly string[];
}

/** Features of labelled image files: what training and evaluation take. */
export interface EmbeddedSplit extends EmbeddedFiles {
  /** Class of each image, as its place among the data set's classes. */
  readonly labels: Int32Array;
}

/**
 * Embeds image files (JPEG, PNG) as `ClipModel.embedImages` embeds pictures; files are decoded on worker threads. Throws
 * InputError where none can be read.
 */
export async function embedFiles(
  clip: ClipModel,
  paths: readonly string[],
  options: EmbedFilesOptions = {},
): Promise<EmbeddedFiles> {
  const { features, paths: read, skipped, truncated } = await encodeFiles(encodingOf(clip, options), paths);
  return { features: normalizedFeatures(features, clip.width), paths: read, skipped, truncated };
}

/** Embeds a split of a data set (see `openDataset`) with its labels. Throws InputError if nothing of a class can be read. */
export async function embedSplit(
  clip: ClipModel,
  data: Dataset,
  split: Split,
  options: EmbedFilesOptions = {},
): Promise<EmbeddedSplit> {
  return encodeSplit(encodingOf(clip, options), imagesOf(data, split), data.classes);
}

function encodingOf(clip: ClipModel, { cache, strict, truncated, events }: EmbedFilesOptions) {
  const { engine, source: model, memory } = clip;
  const vision = () => clip.visionTower();
  return { engine, model, vision, cacheDirectory: cache, memory, strict, truncated, events };
}
