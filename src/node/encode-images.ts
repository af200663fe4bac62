/**
 * Image files to features: what is in the cache comes from there, the rest goes through the vision tower in batches that fit
 * a memory budget. While a batch is computed, the next one is decoded on other threads.
 */
import type { EncoderTower } from '../encoders/index.js';
import { InputError } from '../errors.js';
import { allFinite, encodePixels, imagesPerBatch, type ModelSource, prepareDevice } from '../ptdpc/index.js';
import type { Engine } from '../tensor/index.js';
import type { FeatureCache } from './feature-cache.js';
import { ImageDecoders } from './image-decoders.js';
import { encoderOf, type ImageEncoder } from './image-encoder.js';
import { ImageReader, type ReadImages, type ReadRequest } from './image-reader.js';
import { hardwareThreads } from './wasm-threads.js';

/** Fewer images than this are decoded sooner than a thread has started. */
const FEW_IMAGES = 6;

export interface EncodeRequest extends ReadRequest {
  readonly engine: Engine;
  /** A CLIP stands for its joint features. */
  readonly model: ModelSource | ImageEncoder;
  /** Gives the encoder's tower on the engine's device, if the caller keeps it loaded. */
  readonly vision?: (() => Promise<EncoderTower>) | undefined;
  /** For joint features: keeps the pooled ones of the images that are encoded, which are computed on the way. */
  readonly pooledCache?: FeatureCache | undefined;
  /** Working memory in bytes, beside the tower's weights. */
  readonly memoryBytes: number;
}

export interface EncodedImages extends ReadImages {
  /** How many features were computed, rather than found in the cache. */
  readonly encoded: number;
}

/**
 * Encodes images. Throws InputError if none is readable, or if one is not and `strict` is set, and where features are NaN:
 * that is the weights' fault, and holds for every image.
 */
export async function encodeImages(request: EncodeRequest): Promise<EncodedImages> {
  const { engine, cache, hashes, pooledCache } = request;
  const encoder = encoderOf(request.model);
  using decoders = new ImageDecoders(request.paths.length < FEW_IMAGES ? 0 : hardwareThreads());
  const reader = new ImageReader(request, encoder, decoders);
  const size = imagesPerBatch(encoder.memory, request.memoryBytes, engine.backend.memory.fixedBytes);
  let encoded = 0;
  let ahead = await reader.begin(size);
  await hashes?.flush();
  if (ahead.length > 0) {
    const { model } = request;
    const prepared = 'clip' in model && prepareDevice(engine.backend, 'embed', model.clip, model.config);
    const kept = await request.vision?.();
    using loaded = kept ? undefined : await encoder.load(engine);
    const tower = kept ?? loaded!;
    await prepared;
    using _limit = engine.workWithin(request.memoryBytes);
    try {
      while (ahead.length > 0) {
        const batch = await reader.finish(ahead);
        // Handed over before the tower begins: on the CPU, it has this thread to itself.
        ahead = await reader.begin(size);
        if (batch.length === 0) continue;
        const pixels = batch.map((image) => image.pixels);
        const { features, pooled } = await encodePixels(
          tower,
          encoder.features,
          pixels,
          encoder.preprocessing,
          pooledCache !== undefined,
        );
        for (const [row, { index, key }] of batch.entries()) {
          const feature = rowOf(features, row, reader.width);
          if (!allFinite(feature)) throw notFinite(request.paths[index]!);
          reader.features.set(feature, index * reader.width);
          await cache?.add(key, feature);
          if (pooled) await pooledCache?.add(key, rowOf(pooled, row, encoder.config.width));
        }
        encoded += batch.length;
        request.onProgress?.(batch.length, false);
      }
    } finally {
      await cache?.flush();
      await pooledCache?.flush();
      await hashes?.flush();
    }
  }
  return { ...reader.result(), encoded };
}

function notFinite(path: string): InputError {
  return new InputError(
    `${path}: its features are not finite numbers, so the model's weights may be damaged (npx ptdpc verify checks a model)`,
  );
}

function rowOf(matrix: Float32Array, row: number, width: number): Float32Array {
  return matrix.subarray(row * width, (row + 1) * width);
}
