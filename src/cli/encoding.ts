/** Image encoding as commands do it: with the feature cache that their options name, and a progress bar. */
import type { TruncatedImages } from '../clip/image/index.js';
import type { EncodingRequest } from '../node/encode-splits.js';
import { defaultCacheDirectory } from '../node/feature-cache.js';
import type { ImageEncoder } from '../node/image-encoder.js';
import type { ModelDirectory } from '../node/model-directory.js';
import type { Engine } from '../tensor/index.js';
import type { CacheOptions } from './options.js';
import { TERMINAL } from './progress.js';

export interface EncodingOptions extends CacheOptions {
  memory: number;
  strict?: boolean;
  truncated?: TruncatedImages;
}

/** What a command's options say about encoding. `usual`: how a run read images that are cut short, unless the options say otherwise. */
export function encodingOf(
  engine: Engine,
  model: ModelDirectory | ImageEncoder,
  options: EncodingOptions,
  usual?: TruncatedImages,
): EncodingRequest {
  const { memory, strict, truncated = usual } = options;
  return { engine, model, cacheDirectory: cacheDirectory(options), memory, strict, truncated, events: TERMINAL };
}

/** The folder that a command keeps features in; undefined if it keeps none. */
export function cacheDirectory({ cache }: CacheOptions): string | undefined {
  if (cache === false) return undefined;
  return typeof cache === 'string' ? cache : defaultCacheDirectory();
}

/** Whether a command that is interrupted has kept the features that it encoded. */
export function keepsFeatures(options: CacheOptions): boolean {
  return cacheDirectory(options) !== undefined;
}
