/**
 * Reads image files in order, looks their features up in a cache, and decodes the others on other threads: what comes before a tower.
 */
import type { TruncatedImages } from '../clip/image/index.js';
import { InputError } from '../errors.js';
import { allFinite } from '../ptdpc/index.js';
import { span } from '../trace.js';
import type { FeatureCache } from './feature-cache.js';
import { sha256 } from './feature-segment.js';
import { type FileHashes, seeFile } from './file-hashes.js';
import type { ImageDecoders } from './image-decoders.js';
import type { ImageEncoder } from './image-encoder.js';
import { readImageFile, type SeenImage, type SkippedImage } from './image-files.js';

/** Files read at once. */
const FILES_AHEAD = 8;

/** Files read and not yet decoded take at most so much, and those of `FILES_AHEAD` more. */
const MOST_BYTES_AHEAD = 64 * 2 ** 20;

/** Which images are read, and how. */
export interface ReadRequest {
  readonly paths: readonly string[];
  /** Undefined: everything is decoded again. */
  readonly cache?: FeatureCache | undefined;
  /** What is known of files whose features the cache may have. */
  readonly hashes?: FileHashes | undefined;
  /** True: the first unreadable image is an InputError. */
  readonly strict?: boolean | undefined;
  /** True: that none is readable is no error here, since these are some of the images only. */
  readonly mayBeNone?: boolean | undefined;
  /** What becomes of images whose files are cut short. Default: `skip`. */
  readonly truncated?: TruncatedImages | undefined;
  /** Takes this random view of each image, counted from 1, which its content and the number determine. Default: the middle of the image. */
  readonly view?: number | undefined;
  /** Called with the number of images done since the last call, skipped ones included. */
  readonly onProgress?: ((images: number, cached: boolean) => void) | undefined;
}

/** Images that have been read, all or some of the paths of a request. */
export interface ReadImages {
  /** [paths, the encoder's width], not normalised. */
  readonly features: Float32Array;
  /** The readable ones of the given paths, in the given order. */
  readonly paths: readonly string[];
  /** SHA-256 of each of these files, in hexadecimal. */
  readonly hashes: readonly string[];
  readonly skipped: readonly SkippedImage[];
  /** Those of `paths` whose files are cut short and were read so. */
  readonly truncated: readonly string[];
  /** How many features came from the cache. */
  readonly cached: number;
}

/** An image on its way to the tower: its place among the paths, what the cache knows it by, [size, size]. */
interface WaitingImage {
  readonly index: number;
  readonly key: string;
  readonly pixels: Int32Array;
}

/** An image being decoded. */
interface DecodingImage {
  readonly index: number;
  readonly hash: string;
  /** Bytes of its file. */
  readonly size: number;
  /** What the tower sees of it, or the InputError that names it. */
  readonly outcome: Promise<SeenImage<Int32Array> | InputError>;
}

/**
 * What the cache knows the feature of a cut file by, from its SHA-256: not by that itself, under which whoever skips such files would find
 * it. Files that are not cut have the same feature either way, and the same key.
 */
export function truncatedKey(hash: string): string {
  return sha256(`truncated ${hash}`);
}

/** What the cache knows the feature of a random view of a file by; its first 32 bits are the seed of the view. */
export function viewKey(hash: string, view: number): string {
  return sha256(`view ${view} ${hash}`);
}

/** The seed of a random view of the file with this hash. */
export function viewSeed(hash: string, view: number): number {
  return Number.parseInt(viewKey(hash, view).slice(0, 8), 16);
}

/** A file's hash, and its bytes unless only that was needed. */
interface ReadFile {
  readonly hash: string;
  readonly bytes?: Uint8Array;
}

async function hashed(path: string): Promise<ReadFile> {
  const bytes = await readImageFile(path);
  return { bytes, hash: sha256(bytes) };
}

/** Goes through the paths once: fills in what the cache knows, notes what is unreadable, hands out the rest. */
export class ImageReader {
  readonly features: Float32Array;
  readonly width: number;
  readonly #request: ReadRequest;
  /** By the images' places. */
  readonly #hashes: string[] = [];
  readonly #skipped = new Map<number, SkippedImage>();
  readonly #truncated = new Set<number>();
  /** Files being read, in order. */
  readonly #reads: { readonly index: number; readonly outcome: Promise<ReadFile | { readonly error: unknown }> }[] = [];
  #next = 0;
  #cached = 0;

  readonly #decoders: ImageDecoders;

  constructor(
    request: ReadRequest,
    private readonly encoder: Pick<ImageEncoder, 'preprocessing' | 'width'>,
    decoders: ImageDecoders,
  ) {
    this.#request = request;
    this.#decoders = decoders;
    this.width = encoder.width;
    this.features = new Float32Array(request.paths.length * this.width);
  }

  /** Reads the next images for the tower and begins to decode them, at most `size`; none at the end. */
  async begin(size: number): Promise<DecodingImage[]> {
    const { paths } = this.#request;
    const batch: DecodingImage[] = [];
    for (let bytes = 0; batch.length < size && bytes < MOST_BYTES_AHEAD; ) {
      this.#readAhead();
      const read = this.#reads.shift();
      if (!read) break;
      const { index, outcome } = read;
      try {
        const file = await outcome;
        if ('error' in file) throw file.error;
        const image = await this.#lookUpOrDecode(index, paths[index]!, file);
        if (!image) continue;
        batch.push(image);
        bytes += image.size;
      } catch (error) {
        this.#skip(index, error);
      }
    }
    return batch;
  }

  /** Starts reading the next files: each read waits for the disk, or a network, several times. */
  #readAhead(): void {
    const { paths } = this.#request;
    while (this.#reads.length < FILES_AHEAD && this.#next < paths.length) {
      const index = this.#next++;
      this.#reads.push({ index, outcome: this.#read(paths[index]!).catch((error: unknown) => ({ error })) });
    }
  }

  /** A file, or only its hash if that is known and the cache has what it is asked for by it. */
  async #read(path: string): Promise<ReadFile> {
    const { cache, hashes } = this.#request;
    if (!cache || !hashes) return await hashed(path);
    const seen = await seeFile(path);
    const known = seen && hashes.known(seen);
    if (known !== undefined && this.#keysOf(known).some((key) => cache.has(key))) return { hash: known };
    const file = await hashed(path);
    if (seen) await hashes.note(seen, file.hash);
    return file;
  }

  /** What the cache may know the image by. */
  #keysOf(hash: string): string[] {
    return this.#request.truncated === 'read'
      ? [this.#keyOf(hash, false), this.#keyOf(hash, true)]
      : [this.#keyOf(hash, false)];
  }

  #keyOf(hash: string, truncated: boolean): string {
    const { view } = this.#request;
    const key = truncated ? truncatedKey(hash) : hash;
    return view === undefined ? key : viewKey(key, view);
  }

  /** Waits for the pixels of images begun; those that turn out unreadable are left out. */
  async finish(images: readonly DecodingImage[]): Promise<WaitingImage[]> {
    using _ = span('decode', { images: images.length });
    const batch: WaitingImage[] = [];
    for (const { index, hash, outcome } of images) {
      const image = await outcome;
      if (image instanceof InputError) {
        this.#skip(index, image);
        continue;
      }
      if (image.truncated) this.#truncated.add(index);
      batch.push({ index, key: this.#keyOf(hash, image.truncated), pixels: image.pixels });
    }
    return batch;
  }

  /** The rows of the readable images. Throws InputError if there are none. */
  result(): ReadImages {
    const { paths, mayBeNone } = this.#request;
    const skipped = [...this.#skipped].sort(([a], [b]) => a - b).map(([, image]) => image);
    const truncated = [...this.#truncated].sort((a, b) => a - b).map((index) => paths[index]!);
    const all = { skipped, truncated, cached: this.#cached };
    if (skipped.length === 0) return { features: this.features, paths, hashes: this.#hashes, ...all };
    const readable = paths.map((_, index) => index).filter((index) => !this.#skipped.has(index));
    if (readable.length === 0 && !mayBeNone) throw noneReadable(paths.length, skipped);
    const features = new Float32Array(readable.length * this.width);
    readable.forEach((index, row) => {
      features.set(this.features.subarray(index * this.width, (index + 1) * this.width), row * this.width);
    });
    const [read, hashes] = [paths, this.#hashes].map((list) => readable.map((index) => list[index]!));
    return { features, paths: read!, hashes: hashes!, ...all };
  }

  /** Undefined if the cache knows the features. */
  async #lookUpOrDecode(index: number, path: string, file: ReadFile): Promise<DecodingImage | undefined> {
    const { cache, truncated, view, onProgress } = this.#request;
    const { preprocessing } = this.encoder;
    const { hash } = file;
    this.#hashes[index] = hash;
    for (const key of this.#keysOf(hash)) {
      const known = await cache?.get(key);
      if (!known || !allFinite(known)) continue;
      if (key !== this.#keyOf(hash, false)) this.#truncated.add(index);
      this.features.set(known, index * this.width);
      this.#cached++;
      onProgress?.(1, true);
      return undefined;
    }
    // The cache turned out damaged.
    if (!file.bytes) return await this.#lookUpOrDecode(index, path, await hashed(path));
    const size = file.bytes.length;
    const seed = view === undefined ? undefined : viewSeed(hash, view);
    // An error is kept until its turn comes, because nothing awaits this promise yet.
    const outcome = this.#decoders.decode(file.bytes, path, preprocessing, truncated, seed).catch((error: unknown) => {
      if (error instanceof InputError) return error;
      throw error;
    });
    outcome.catch(() => {});
    return { index, hash, size, outcome };
  }

  /** Notes an unreadable image. Throws the error if it is not an InputError, or if every image must be readable. */
  #skip(index: number, error: unknown): void {
    const { paths, strict, onProgress } = this.#request;
    if (strict || !(error instanceof InputError)) throw error;
    this.#skipped.set(index, { path: paths[index]!, reason: error.message });
    onProgress?.(1, false);
  }
}

/** That none of `count` images could be read, with the reason for the first. */
export function noneReadable(count: number, skipped: readonly SkippedImage[]): InputError {
  return new InputError(`none of ${count} images can be read; the first one: ${skipped[0]?.reason}`);
}
