/** Image encoding as commands do it: with the feature cache that their options name, and a progress bar. */
import type { EncodingRequest } from '../node/encode-splits.js';
import { defaultCacheDirectory } from '../node/feature-cache.js';
import type { ModelDirectory } from '../node/model-directory.js';
import type { Engine } from '../tensor/index.js';
import type { CacheOptions } from './options.js';
import { TERMINAL } from './progress.js';

export interface EncodingOptions extends CacheOptions {
  memory: number;
  strict?: boolean;
}

/** What a command's options say about encoding. */
export function encodingOf(engine: Engine, model: ModelDirectory, options: EncodingOptions): EncodingRequest {
  const { memory, strict } = options;
  return { engine, model, cacheDirectory: cacheDirectory(options), memory, strict, events: TERMINAL };
}

/** The folder that a command keeps features in; undefined where it keeps none. */
export function cacheDirectory({ cache }: CacheOptions): string | undefined {
  if (cache === false) return undefined;
  return typeof cache === 'string' ? cache : defaultCacheDirectory();
}
