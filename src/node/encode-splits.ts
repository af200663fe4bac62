/** Image encoding as commands do it: with the feature cache, and telling how far it is. */
import type { TruncatedImages } from '../clip/image/index.js';
import type { VisionTower } from '../clip/towers/index.js';
import { type ClassName, type LabelledPath, type ModelSource, normalizedFeatures } from '../ptdpc/index.js';
import type { Engine } from '../tensor/index.js';
import { type EncodedImages, encodeImages } from './encode-images.js';
import { type Events, SILENT } from './events.js';
import { FeatureCache } from './feature-cache.js';
import { encoderOf, type ImageEncoder } from './image-encoder.js';
import { type EncodedSplit, labelled } from './labelled-images.js';

export interface EncodingRequest {
  readonly engine: Engine;
  /** A CLIP stands for its joint features. */
  readonly model: ModelSource | ImageEncoder;
  /** Gives its image tower on the engine's device, if the caller keeps it loaded. */
  readonly vision?: (() => Promise<VisionTower>) | undefined;
  /** Where features are kept; undefined: nowhere, and all images are encoded anew. */
  readonly cacheDirectory: string | undefined;
  /** Working memory in bytes, beside the weights. */
  readonly memory: number;
  /** True: the first unreadable image is an InputError. */
  readonly strict?: boolean | undefined;
  /** What becomes of images whose files are cut short. Default: `skip`. */
  readonly truncated?: TruncatedImages | undefined;
  /** The pooled features of a model whose joint ones are asked for: kept as well, so that they need not be computed again. */
  readonly alsoKeep?: ImageEncoder | undefined;
  readonly events?: Events | undefined;
}

/** Encodes images on the engine's device. Throws as `encodeImages` does. */
export async function encodeFiles(request: EncodingRequest, paths: readonly string[]): Promise<EncodedImages> {
  const { engine, model, vision, memory, strict, truncated, alsoKeep, events = SILENT } = request;
  const cache = await openCache(request, encoderOf(model), events);
  const pooledCache = alsoKeep && (await openCache(request, alsoKeep, events));
  using bar = events.progress(paths.length, 'encoding', 'images');
  return await encodeImages({
    engine,
    model,
    vision,
    paths,
    cache,
    pooledCache,
    memoryBytes: memory,
    strict,
    truncated,
    onProgress: (images) => bar.tick(images),
  });
}

/** Encodes labelled images; see `labelled`. Joint features are normalised, pooled ones are as the tower gives them. */
export async function encodeSplit(
  request: EncodingRequest,
  images: readonly LabelledPath[],
  classes: readonly ClassName[],
): Promise<EncodedSplit> {
  const paths = images.map(({ path }) => path);
  const split = labelled(await encodeFiles(request, paths), images, classes);
  const { features, width } = encoderOf(request.model);
  return features === 'joint' ? { ...split, features: normalizedFeatures(split.features, width) } : split;
}

async function openCache(
  { engine, cacheDirectory }: EncodingRequest,
  { origin: config, width, hash }: ImageEncoder,
  events: Events,
): Promise<FeatureCache | undefined> {
  if (cacheDirectory === undefined) return undefined;
  const origin = { weights: await hash(), config, width, arithmetic: engine.backend.arithmetic };
  return FeatureCache.open(cacheDirectory, origin, (line) => events.say(line));
}
