/**
 * Features of texts that no image changes, kept beside those of images: with them, the text tower need neither be read nor run. They are found
 * by what they were made from: the weights, their configuration, the device's arithmetic, and the tokens and prompts of each text.
 */
import { allFinite, type ModelSource } from '../ptdpc/index.js';
import { FeatureCache } from './feature-cache.js';
import { sha256 } from './feature-segment.js';

/** To be raised when the text tower, or what is composed for it, gives other numbers than before. */
const TEXT_VERSION = 1;

/** The texts of some classes, one after the other, [classes, projectionDim]. */
export interface TextRequest {
  readonly model: ModelSource;
  /** `Backend.arithmetic` of the device. */
  readonly arithmetic: string;
  /** Undefined: they are made every time. */
  readonly cacheDirectory: string | undefined;
  readonly classes: number;
  /** What they depend on besides the model and the device: tokens, prompts, how both are composed; becomes JSON. */
  readonly origin: object;
}

/** The features as `make` gives them, now or at an earlier call. What is damaged, or not finite, is made again. */
export async function keptTexts(request: TextRequest, make: () => Promise<Float32Array>): Promise<Float32Array> {
  const { model, arithmetic, cacheDirectory, classes, origin } = request;
  if (cacheDirectory === undefined) return await make();
  const width = model.config.projectionDim;
  const config = { texts: TEXT_VERSION, ...model.config };
  // Where the cache cannot be used, the images have said so.
  const cache = await FeatureCache.open(cacheDirectory, { weights: await model.hash(), config, width, arithmetic });
  const text = sha256(JSON.stringify(origin));
  const keys = Array.from({ length: classes }, (_, c) => sha256(`${text} ${c}`));
  const kept = await lookUp(cache, keys);
  if (kept) return kept;
  const made = await make();
  if (!allFinite(made)) return made;
  for (const [c, key] of keys.entries()) await cache.add(key, made.subarray(c * width, (c + 1) * width));
  await cache.flush();
  return made;
}

/** Undefined unless all are there. */
async function lookUp(cache: FeatureCache, keys: readonly string[]): Promise<Float32Array | undefined> {
  const { width } = cache;
  const features = new Float32Array(keys.length * width);
  for (const [c, key] of keys.entries()) {
    const known = await cache.get(key);
    if (!known || !allFinite(known)) return undefined;
    features.set(known, c * width);
  }
  return features;
}
