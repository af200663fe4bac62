/** Image encoding as commands do it: with the feature cache that their options name, and a progress bar. */
import type { TruncatedImages } from '../clip/image/index.js';
import type { EncodingRequest } from '../node/encode-splits.js';
import { defaultCacheDirectory } from '../node/feature-cache.js';
import type { ModelDirectory } from '../node/model-directory.js';
import { readRunRecord } from '../node/run-directory.js';
import { isPromptsFile } from '../node/tuned-model.js';
import type { Engine } from '../tensor/index.js';
import type { CacheOptions } from './options.js';
import { TERMINAL } from './progress.js';

export interface EncodingOptions extends CacheOptions {
  memory: number;
  strict?: boolean;
  truncated?: TruncatedImages;
}

/** What a command's options say about encoding. */
export function encodingOf(engine: Engine, model: ModelDirectory, options: EncodingOptions): EncodingRequest {
  const { memory, strict, truncated } = options;
  return { engine, model, cacheDirectory: cacheDirectory(options), memory, strict, truncated, events: TERMINAL };
}

/** The same for a run's images, which are read as the run read its own unless the options say something else. */
export async function encodingForRun(
  engine: Engine,
  model: ModelDirectory,
  options: EncodingOptions & { run: string },
): Promise<EncodingRequest> {
  const own = async () => ((await isPromptsFile(options.run)) ? 'skip' : (await readRunRecord(options.run)).truncated);
  return { ...encodingOf(engine, model, options), truncated: options.truncated ?? (await own()) };
}

/** The folder that a command keeps features in; undefined where it keeps none. */
export function cacheDirectory({ cache }: CacheOptions): string | undefined {
  if (cache === false) return undefined;
  return typeof cache === 'string' ? cache : defaultCacheDirectory();
}
