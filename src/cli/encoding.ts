/** The options of commands that encode images, and the cache that they name. */
import type { TruncatedImages } from '../clip/image/index.js';
import { defaultCacheDirectory } from '../node/package.js';
import type { CacheOptions } from './options.js';

export interface EncodingOptions extends CacheOptions {
  memory: number;
  strict?: boolean;
  truncated?: TruncatedImages;
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
