/**
 * Image features on disk, so that an image is encoded once for all epochs, runs and ablations (DESIGN: exact saving 1).
 *
 * A feature is found by what it was made from: the image's bytes, the checkpoint and its configuration, the preprocessing,
 * and the device. All but the image name a folder of the cache, in which lie immutable segments (feature-segment.ts):
 *
 *     <cache>/<origin>/<segment>.safetensors
 *
 * A segment is written every few hundred images or few seconds, so that an interruption loses little, and appears under its name only
 * when it is whole, so that any number of processes may share a cache. A damaged one is passed over.
 */
import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import { readSegmentFeatures, readSegmentImages, sha256, writeSegment } from './feature-segment.js';
import { makeFolder } from './make-folder.js';
import { errorCode, explained } from './system-error.js';
import { removeLeftBehind } from './temporary-files.js';

/** To be raised when preprocessing or the vision tower gives other numbers than before. */
const FEATURE_VERSION = 1;

/** Images per segment: half a megabyte of ViT-B/32's features. */
const SEGMENT_IMAGES = 256;

/** Seconds after which what there is makes a segment: on a slow device a few hundred images are minutes of work. */
const SEGMENT_SECONDS = 10;

/** Segments whose features are kept in memory; images are asked for in much the order that they were encoded in. */
const SEGMENTS_IN_MEMORY = 16;

/** What features depend on besides the image. */
export interface FeatureOrigin {
  /** `ModelDirectory.hash()`. */
  readonly weights: string;
  /** The encoder's configuration and all else that features depend on; becomes JSON. */
  readonly config: object;
  /** Numbers per feature. */
  readonly width: number;
  /** Names the device as far as its rounding may differ from another's. */
  readonly device: string;
}

/** The folder for caches: $PTDPC_CACHE, else $XDG_CACHE_HOME/ptdpc, else ~/.cache/ptdpc. */
export function defaultCacheDirectory(): string {
  const { PTDPC_CACHE, XDG_CACHE_HOME } = process.env;
  return PTDPC_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'ptdpc');
}

export class FeatureCache {
  readonly #places = new Map<string, { readonly segment: string; readonly row: number }>();
  /** Features by segment, the most recently used last. */
  readonly #loaded = new Map<string, Float32Array>();
  #pending = new Map<string, Float32Array>();
  #flushed = performance.now();

  private constructor(
    /** The folder of this origin. */
    readonly directory: string,
    /** Numbers per feature. */
    readonly width: number,
    private readonly warn: (message: string) => void,
  ) {}

  /**
   * Opens the features of one origin in a cache. Nothing is created before something is stored. `warn` hears of damaged
   * segments. Throws InputError where the folder cannot be read.
   */
  static async open(
    cacheDirectory: string,
    origin: FeatureOrigin,
    warn: (message: string) => void = () => {},
  ): Promise<FeatureCache> {
    const { weights, config, width, device } = origin;
    const key = sha256(JSON.stringify([FEATURE_VERSION, weights, config, device])).slice(0, 32);
    const cache = new FeatureCache(join(cacheDirectory, key), width, warn);
    await cache.#readIndex();
    return cache;
  }

  /** Number of images whose features are known. */
  get size(): number {
    return this.#places.size + this.#pending.size;
  }

  /** The feature of the image with this SHA-256, [width]; undefined where it is not known. */
  async get(image: string): Promise<Float32Array | undefined> {
    const pending = this.#pending.get(image);
    if (pending) return pending;
    const place = this.#places.get(image);
    if (!place) return undefined;
    const features = await this.#features(place.segment);
    return features?.subarray(place.row * this.width, (place.row + 1) * this.width);
  }

  /** Stores a feature [width]: on disk as soon as a segment is full, or at `flush`. */
  async add(image: string, feature: Float32Array): Promise<void> {
    this.#pending.set(image, feature.slice());
    const seconds = (performance.now() - this.#flushed) / 1000;
    if (this.#pending.size >= SEGMENT_IMAGES || seconds > SEGMENT_SECONDS) await this.flush();
  }

  /** Writes what is not on disk yet. Throws InputError where the disk refuses. */
  async flush(): Promise<void> {
    this.#flushed = performance.now();
    if (this.#pending.size === 0) return;
    const images = [...this.#pending.keys()];
    const features = new Float32Array(images.length * this.width);
    images.forEach((image, row) => {
      features.set(this.#pending.get(image)!, row * this.width);
    });
    const path = join(this.directory, `${sha256(images.join()).slice(0, 16)}.safetensors`);
    try {
      await makeFolder(this.directory);
      await writeSegment(path, images, features);
    } catch (error) {
      throw error instanceof InputError
        ? new InputError(`${error.message}; use --cache <dir> or --no-cache`)
        : this.#refused('written', error);
    }
    images.forEach((image, row) => {
      this.#places.set(image, { segment: path, row });
    });
    this.#pending.clear();
  }

  async #readIndex(): Promise<void> {
    let names: string[];
    try {
      names = await readdir(this.directory);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return;
      throw this.#refused('read', error);
    }
    await removeLeftBehind(this.directory);
    for (const name of names.filter((name) => name.endsWith('.safetensors') && !name.startsWith('.')).sort()) {
      const segment = join(this.directory, name);
      const images = await this.#unlessDamaged(segment, readSegmentImages(segment, this.width));
      images?.forEach((image, row) => {
        this.#places.set(image, { segment, row });
      });
    }
  }

  /** A segment's features; undefined where it turns out damaged. */
  async #features(segment: string): Promise<Float32Array | undefined> {
    const features =
      this.#loaded.get(segment) ?? (await this.#unlessDamaged(segment, readSegmentFeatures(segment, this.width)));
    if (!features) return undefined;
    this.#loaded.delete(segment);
    this.#loaded.set(segment, features);
    const [oldest] = this.#loaded.keys();
    if (oldest !== undefined && this.#loaded.size > SEGMENTS_IN_MEMORY) this.#loaded.delete(oldest);
    return features;
  }

  /** What `reading` gives; if the segment is damaged, says so, forgets its images and returns undefined. */
  async #unlessDamaged<T>(path: string, reading: Promise<T>): Promise<T | undefined> {
    try {
      return await reading;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.warn(`feature cache: a damaged file is passed over: ${error.message}`);
      for (const [image, { segment }] of this.#places) if (segment === path) this.#places.delete(image);
      return undefined;
    }
  }

  #refused(what: 'read' | 'written', error: unknown): InputError {
    return new InputError(
      `${this.directory}: the feature cache cannot be ${what} (${explained(error)}); use --cache <dir> or --no-cache`,
    );
  }
}
