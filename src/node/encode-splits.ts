/** Image encoding as commands do it: with the feature cache, and telling how far it is. */
import type { ClassName, LabelledPath } from '../ptdpc/index.js';
import type { Engine } from '../tensor/index.js';
import { type EncodedImages, encodeImages } from './encode-images.js';
import { type Events, SILENT } from './events.js';
import { FeatureCache } from './feature-cache.js';
import { type EncodedSplit, labelled } from './labelled-images.js';
import type { ModelDirectory } from './model-directory.js';

export interface EncodingRequest {
  readonly engine: Engine;
  readonly model: ModelDirectory;
  /** Where features are kept; undefined: nowhere, and all images are encoded anew. */
  readonly cacheDirectory: string | undefined;
  /** Working memory in bytes, beside the weights. */
  readonly memory: number;
  /** True: the first unreadable image is an InputError. */
  readonly strict?: boolean | undefined;
  readonly events?: Events | undefined;
}

/** Encodes images on the engine's device. Throws as `encodeImages` does. */
export async function encodeFiles(request: EncodingRequest, paths: readonly string[]): Promise<EncodedImages> {
  const { engine, model, memory, strict, events = SILENT } = request;
  const cache = await openCache(request, events);
  using bar = events.progress(paths.length, 'encoding', 'images');
  return await encodeImages({
    engine,
    model,
    paths,
    cache,
    memoryBytes: memory,
    strict,
    onProgress: (images) => bar.tick(images),
  });
}

/** Encodes labelled images; see `labelled`. */
export async function encodeSplit(
  request: EncodingRequest,
  images: readonly LabelledPath[],
  classes: readonly ClassName[],
): Promise<EncodedSplit> {
  const paths = images.map(({ path }) => path);
  return labelled(await encodeFiles(request, paths), images, classes, request.model.config.projectionDim);
}

async function openCache(
  { engine, model, cacheDirectory }: EncodingRequest,
  events: Events,
): Promise<FeatureCache | undefined> {
  if (cacheDirectory === undefined) return undefined;
  // By description, not by kind: two GPUs round differently, and the same device must give the same result.
  const origin = { weights: await model.hash(), config: model.config, device: engine.backend.description };
  return FeatureCache.open(cacheDirectory, origin, (line) => events.say(line));
}
