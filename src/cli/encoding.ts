/** Image encoding as commands do it: with the feature cache that their options name, and a progress bar. */

import type { LabelledPath } from '../node/dataset.js';
import { type EncodedImages, encodeImages } from '../node/encode-images.js';
import { defaultCacheDirectory, FeatureCache } from '../node/feature-cache.js';
import { type EncodedSplit, labelled } from '../node/labelled-images.js';
import type { ModelDirectory } from '../node/model-directory.js';
import type { ClassName } from '../ptdpc/index.js';
import type { Engine } from '../tensor/index.js';
import type { CacheOptions } from './options.js';
import { say } from './output.js';
import { progress } from './progress.js';

export interface EncodingOptions extends CacheOptions {
  memory: number;
  strict?: boolean;
}

/** Encodes images on the engine's device. */
export async function encode(
  engine: Engine,
  model: ModelDirectory,
  paths: readonly string[],
  options: EncodingOptions,
): Promise<EncodedImages> {
  const cache = await openCache(engine, model, options);
  using bar = progress(paths.length, 'encoding', 'images');
  return await encodeImages({
    engine,
    model,
    paths,
    cache,
    memoryBytes: options.memory,
    strict: options.strict ?? false,
    onProgress: (images) => bar.tick(images),
  });
}

/** Encodes labelled images; see `labelled`. */
export async function encodeSplit(
  engine: Engine,
  model: ModelDirectory,
  images: readonly LabelledPath[],
  classes: readonly ClassName[],
  options: EncodingOptions,
): Promise<EncodedSplit> {
  const paths = images.map(({ path }) => path);
  return labelled(await encode(engine, model, paths, options), images, classes, model.config.projectionDim);
}

async function openCache(
  engine: Engine,
  model: ModelDirectory,
  { cache }: CacheOptions,
): Promise<FeatureCache | undefined> {
  if (cache === false) return undefined;
  const directory = typeof cache === 'string' ? cache : defaultCacheDirectory();
  // By description, not by kind: two GPUs round differently, and the same device must give the same result.
  const origin = { weights: await model.hash(), config: model.config, device: engine.backend.description };
  return FeatureCache.open(directory, origin, say);
}
