/**
 * Image features on disk, so that an image is encoded once for all epochs, runs and ablations (DESIGN: exact saving 1). Those of texts are kept
 * in the same way (text-cache.ts).
 *
 * A feature is found by what it was made from: the image's bytes, the checkpoint and its configuration, the preprocessing,
 * and the device's arithmetic. All but the image name a folder of the cache, in which lie immutable segments (feature-segment.ts):
 *
 *     <cache>/<origin>/<segment>.safetensors
 *
 * A segment is written every few hundred images or few seconds, so that an interruption loses little, and appears under its name only
 * when it is whole, so that any number of processes may share a cache. Small ones are merged by the next process that opens the cache. A
 * damaged one is passed over. If the cache cannot be read or written, a warning is given and the work continues without it.
 *
 * What a segment says is believed, so a cache belongs to one user: it is created for its owner only, and one that others may write to is
 * neither read nor written.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import { exists } from './checkpoint-files.js';
import {
  readSegmentFeatures,
  readSegmentImages,
  readSegmentRow,
  type SegmentRows,
  sha256,
  writeSegment,
} from './feature-segment.js';
import { HASHES_FILE, requirePrivateCache } from './file-hashes.js';
import { tryLock } from './lock.js';
import { makeFolder, requireWritable } from './make-folder.js';
import { PRIVATE } from './own-files.js';
import { removeLeftBehind } from './process-tag.js';
import { errorCode, explained, isSystemError, naming } from './system-error.js';

/** To be raised when preprocessing or the vision tower gives other numbers than before. */
const FEATURE_VERSION = 1;

/** Images per segment: half a megabyte of ViT-B/32's features. */
const SEGMENT_IMAGES = 256;

/** Seconds after which pending features are written as a segment: on a slow device a few hundred images are minutes of work. */
const SEGMENT_SECONDS = 10;

/** So many segments that are not full are merged. */
const SMALL_SEGMENTS = 16;

/**
 * Segments whose features are kept in memory: images are asked for in much the order that they were encoded in. In any other order, a
 * segment is read and verified once, and then row by row.
 */
const SEGMENTS_IN_MEMORY = 16;

/** What features depend on besides the image. */
export interface FeatureOrigin {
  /** `ModelDirectory.hash()`. */
  readonly weights: string;
  /** The encoder's configuration and all else that features depend on; becomes JSON. */
  readonly config: object;
  /** Numbers per feature. */
  readonly width: number;
  /** `Backend.arithmetic`: features of the same image differ in their last bits from device to device. */
  readonly arithmetic: string;
}

export class FeatureCache {
  readonly #places = new Map<string, { readonly segment: string; readonly row: number }>();
  /** Paths of the segments that were read, with their numbers of images. */
  readonly #segments = new Map<string, number>();
  /** Features by segment, the most recently used last. */
  readonly #loaded = new Map<string, Float32Array>();
  /** Where the rows of the segments lie that were verified. */
  readonly #verified = new Map<string, SegmentRows>();
  #pending = new Map<string, Float32Array>();
  #flushed = performance.now();
  #isWritable = true;
  /** Whether nobody else can have put features here. */
  #isTrusted = true;

  private constructor(
    private readonly root: string,
    /** The folder of this origin. */
    readonly directory: string,
    /** Numbers per feature. */
    readonly width: number,
    private readonly warn: (message: string) => void,
  ) {}

  /**
   * Opens the features of one origin in a cache. Nothing is created before something is stored. `warn` is called where segments are
   * damaged, and once if the folder cannot be read or written.
   */
  static async open(
    cacheDirectory: string,
    origin: FeatureOrigin,
    warn: (message: string) => void = () => {},
  ): Promise<FeatureCache> {
    const { weights, config, width, arithmetic } = origin;
    const key = sha256(JSON.stringify([FEATURE_VERSION, weights, config, arithmetic])).slice(0, 32);
    const cache = new FeatureCache(cacheDirectory, join(cacheDirectory, key), width, warn);
    await cache.#checkPrivate();
    await cache.#readIndex();
    await cache.#checkWritable();
    await cache.#mergeSmall();
    return cache;
  }

  /** Number of images whose features are known. */
  get size(): number {
    return this.#places.size + this.#pending.size;
  }

  /** Whether `get` may know this image. */
  has(image: string): boolean {
    return this.#pending.has(image) || this.#places.has(image);
  }

  /** The feature of the image with this SHA-256, [width]; undefined if it is not known. */
  async get(image: string): Promise<Float32Array | undefined> {
    const pending = this.#pending.get(image);
    if (pending) return pending;
    const place = this.#places.get(image);
    if (!place) return undefined;
    const { segment, row } = place;
    const verified = this.#loaded.has(segment) ? undefined : this.#verified.get(segment);
    const single = verified && readSegmentRow(segment, verified, row, this.width);
    if (single) return single;
    const features = await this.#features(segment);
    if (features) return features.subarray(row * this.width, (row + 1) * this.width);
    // Another process may have merged the segment into a larger one.
    if (await exists(segment)) return undefined;
    await this.#readIndex();
    return this.#places.has(image) ? await this.get(image) : undefined;
  }

  /** Stores a feature [width]: on disk as soon as a segment is full, or at `flush`. */
  async add(image: string, feature: Float32Array): Promise<void> {
    this.#pending.set(image, feature.slice());
    const seconds = (performance.now() - this.#flushed) / 1000;
    if (this.#pending.size >= SEGMENT_IMAGES || seconds > SEGMENT_SECONDS) await this.flush();
  }

  /** Writes what is not on disk yet. Where the disk refuses, it warns, and nothing is written from then on. */
  async flush(): Promise<void> {
    this.#flushed = performance.now();
    if (this.#pending.size === 0) return;
    const pending = this.#pending;
    this.#pending = new Map();
    if (!this.#isWritable) return;
    try {
      await naming(this.directory, 'cannot be written', async () => {
        await makeFolder(this.root, PRIVATE);
        await makeFolder(this.directory, PRIVATE);
      });
      await this.#write(pending);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.#giveUp(error);
    }
  }

  /** Writes a segment. Returns its path. */
  async #write(found: ReadonlyMap<string, Float32Array>): Promise<string> {
    const images = [...found.keys()];
    const features = new Float32Array(images.length * this.width);
    images.forEach((image, row) => {
      features.set(found.get(image)!, row * this.width);
    });
    const path = join(this.directory, `${sha256(images.join()).slice(0, 16)}.safetensors`);
    await writeSegment(path, images, features);
    this.#index(path, images);
    return path;
  }

  #index(segment: string, images: readonly string[]): void {
    this.#segments.set(segment, images.length);
    images.forEach((image, row) => {
      this.#places.set(image, { segment, row });
    });
  }

  /** Warns if someone else could have put features here: then they are neither read nor written. */
  async #checkPrivate(): Promise<void> {
    try {
      for (const folder of [this.root, this.directory]) await requirePrivateCache(folder);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.#isTrusted = false;
      this.#giveUp(error);
    }
  }

  /** Warns before the images are encoded, when there is still time to choose another place. */
  async #checkWritable(): Promise<void> {
    if (!this.#isWritable) return;
    await requireWritable(join(this.directory, 'segment')).catch((error: unknown) => {
      if (!(error instanceof InputError)) throw error;
      this.#giveUp(error);
    });
  }

  #giveUp(error: InputError): void {
    this.#isWritable = false;
    this.warn(`features are not kept: ${error.message}; --cache <dir> keeps them elsewhere`);
  }

  /** Merges segments that are not full into full ones, unless another process is at it. What fails is left for the next time. */
  async #mergeSmall(): Promise<void> {
    const small = new Set([...this.#segments].filter(([, images]) => images < SEGMENT_IMAGES).map(([path]) => path));
    if (small.size < SMALL_SEGMENTS || !this.#isWritable) return;
    try {
      await using lock = await tryLock(join(this.directory, '.lock'), { what: this.directory });
      if (!lock) return;
      const merged = new Set<string>();
      let found = new Map<string, Float32Array>();
      for (const [image, { segment }] of [...this.#places]) {
        if (!small.has(segment)) continue;
        const feature = await this.get(image);
        if (feature) found.set(image, feature);
        if (found.size < SEGMENT_IMAGES) continue;
        merged.add(await this.#write(found));
        found = new Map();
      }
      if (found.size > 0) merged.add(await this.#write(found));
      for (const path of small) {
        if (merged.has(path)) continue;
        await rm(path, { force: true });
        this.#segments.delete(path);
        this.#loaded.delete(path);
      }
    } catch (error) {
      if (!(error instanceof InputError || isSystemError(error))) throw error;
    }
  }

  async #readIndex(): Promise<void> {
    if (!this.#isTrusted) return;
    let names: string[];
    try {
      names = await readdir(this.directory);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT')
        this.#giveUp(new InputError(`${this.directory}: cannot be read (${explained(error)})`));
      return;
    }
    await removeLeftBehind(this.directory);
    for (const name of names.filter(isSegment).sort()) {
      const segment = join(this.directory, name);
      if (this.#segments.has(segment)) continue;
      const images = await this.#unlessDamaged(segment, readSegmentImages(segment, this.width));
      if (images) this.#index(segment, images);
    }
  }

  /** A segment's features; undefined if it turns out damaged. */
  async #features(segment: string): Promise<Float32Array | undefined> {
    const features = this.#loaded.get(segment) ?? (await this.#read(segment));
    if (!features) return undefined;
    this.#loaded.delete(segment);
    this.#loaded.set(segment, features);
    const [oldest] = this.#loaded.keys();
    if (oldest !== undefined && this.#loaded.size > SEGMENTS_IN_MEMORY) this.#loaded.delete(oldest);
    return features;
  }

  async #read(segment: string): Promise<Float32Array | undefined> {
    const verified = await this.#unlessDamaged(segment, readSegmentFeatures(segment, this.width));
    if (verified) this.#verified.set(segment, verified.rows);
    return verified?.features;
  }

  /** What `reading` gives; if the segment is damaged, says so, if it is gone, does not; forgets its images and returns undefined. */
  async #unlessDamaged<T>(path: string, reading: Promise<T>): Promise<T | undefined> {
    try {
      return await reading;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      if (await exists(path)) this.warn(`feature cache: a damaged file is passed over: ${error.message}`);
      this.#segments.delete(path);
      for (const [image, { segment }] of this.#places) if (segment === path) this.#places.delete(image);
      return undefined;
    }
  }
}

const isSegment = (name: string): boolean => name.endsWith('.safetensors') && !name.startsWith('.');

/** What a cache holds. */
export interface CacheSize {
  /** Folders of features: one for each model, preprocessing and kind of device, and one for its texts. */
  origins: number;
  segments: number;
  bytes: number;
}

/** The folders of features in a cache, which may hold other things as well. Throws InputError if it cannot be read. */
async function originsOf(cacheDirectory: string): Promise<string[]> {
  try {
    const names = await readdir(cacheDirectory);
    return names.filter((name) => /^[0-9a-f]{32}$/.test(name)).map((name) => join(cacheDirectory, name));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw new InputError(`${cacheDirectory}: cannot be read (${explained(error)})`);
  }
}

/** Measures the features in a cache. Throws InputError if it cannot be read. */
export async function measureCache(cacheDirectory: string): Promise<CacheSize> {
  const origins = await originsOf(cacheDirectory);
  const size = { origins: origins.length, segments: 0, bytes: 0 };
  for (const origin of origins) {
    for (const name of (await naming(origin, 'cannot be read', () => readdir(origin))).filter(isSegment)) {
      // It may be merged into another meanwhile.
      const status = await stat(join(origin, name)).catch(() => undefined);
      if (!status) continue;
      size.segments++;
      size.bytes += status.size;
    }
  }
  return size;
}

/** Removes the features in a cache, and nothing else. Returns what they were. Throws InputError if they cannot be removed. */
export async function clearCache(cacheDirectory: string): Promise<CacheSize> {
  const size = await measureCache(cacheDirectory);
  await requirePrivateCache(cacheDirectory);
  for (const made of [...(await originsOf(cacheDirectory)), join(cacheDirectory, HASHES_FILE)])
    await naming(made, 'cannot be removed', () => rm(made, { recursive: true, force: true }));
  return size;
}
