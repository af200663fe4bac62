/** Image files: finding them under folders, reading them, and turning them into what the vision tower takes. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type DecodedImage,
  decodeImage,
  IMAGE_EXTENSIONS,
  IMAGE_NAME,
  modelPixels,
  type Preprocessing,
  preprocess,
  randomView,
  type TruncatedImages,
} from '../clip/image/index.js';
import { InputError } from '../errors.js';
import { filesBelow } from '../ptdpc/datasets/data-folder.js';
import { span } from '../trace.js';
import { diskFolder } from './disk-folder.js';
import { loadImageCodecs } from './image-codecs.js';
import { kindOfFile, naming } from './system-error.js';

/** A photograph has a tenth of this; what is larger is not read at all. */
const MAX_FILE_BYTES = 512 * 2 ** 20;

/** What a model sees of an image, and whether its file was cut short. */
export interface SeenImage<Pixels> {
  readonly pixels: Pixels;
  readonly truncated: boolean;
}

/** An image that was passed over. `reason` names the file. */
export interface SkippedImage {
  readonly path: string;
  readonly reason: string;
}

/**
 * The images in `inputs`, sorted by path (by code unit, each path once). A folder stands for all files below it that are named like
 * images (`IMAGE_NAME`), as `filesBelow` walks it; a file stands for itself, whatever its name. A folder below that cannot be listed stands
 * in place of its images: reading it says why. Throws InputError for a path that does not exist or cannot be read, and for a folder without images.
 */
export async function listImages(inputs: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const input of inputs) {
    const status = await naming(input, 'cannot be opened', () => stat(input));
    if (!status.isDirectory()) {
      found.add(input);
      continue;
    }
    let images = 0;
    for await (const walked of filesBelow(diskFolder(input))) {
      const { path, kind } = walked;
      if (kind === 'unlistable' && path === '') throw walked.error;
      const isFolder = kind === 'unlistable' || (kind === 'lost' && walked.isFolder);
      if (kind === 'hidden' || (!isFolder && !IMAGE_NAME.test(path))) continue;
      found.add(join(input, path));
      images++;
    }
    if (images === 0) {
      throw new InputError(`${input}: no images in this folder; expected ${IMAGE_EXTENSIONS} files`);
    }
  }
  return [...found].sort();
}

/** The bytes of an image file. Throws InputError naming it. */
export async function readImageFile(path: string): Promise<Uint8Array> {
  using _ = span('read', { file: path });
  const status = await naming(path, 'cannot be opened', () => stat(path));
  // A folder that could not be gone through; see listImages.
  if (status.isDirectory()) await naming(path, 'cannot be read', () => readdir(path));
  if (!status.isFile()) throw new InputError(`${path}: expected an image file, found ${kindOfFile(status)}`);
  if (status.size > MAX_FILE_BYTES) {
    throw new InputError(`${path}: expected an image of at most ${MAX_FILE_BYTES} bytes, found ${status.size}`);
  }
  return await naming(path, 'cannot be read', () => readFile(path));
}

/**
 * What a model sees of an image: [size, size, 3] RGB. `how`: the model's preprocessing, or the size for CLIP's own. Throws InputError
 * naming `path` for what cannot be decoded.
 */
export async function cropForClip(
  bytes: Uint8Array,
  path: string,
  how: Preprocessing | number,
  truncated?: TruncatedImages,
): Promise<SeenImage<Uint8Array>> {
  loadImageCodecs();
  const image = await decoded(bytes, path, truncated);
  using _ = span('preprocess', { file: path });
  return { pixels: preprocess(image, how, path), truncated: image.truncated ?? false };
}

/** Of pixels. */
const LARGE_BYTES = 16 * 2 ** 20;

/** The same as whole numbers for the image tower: `modelPixels`, or a `randomView` by the seed `view`. */
export async function pixelsFor(
  how: Preprocessing,
  bytes: Uint8Array,
  path: string,
  truncated?: TruncatedImages,
  view?: number,
): Promise<SeenImage<Int32Array>> {
  loadImageCodecs();
  const image = await decoded(bytes, path, truncated);
  using _ = span('preprocess', { file: path });
  const pixels = view === undefined ? modelPixels(image, how, path) : randomView(image, how, view);
  freeNow(image.data);
  return { pixels, truncated: image.truncated ?? false };
}

async function decoded(bytes: Uint8Array, path: string, truncated?: TruncatedImages): Promise<DecodedImage> {
  using _ = span('decode', { file: path });
  return await decodeImage(bytes, path, truncated);
}

/** Pixels of a large image are not left to the garbage collector: a thread that waits for its next image would keep them. */
function freeNow({ buffer, byteLength }: ArrayBufferView): void {
  const isAlone = buffer instanceof ArrayBuffer && byteLength === buffer.byteLength && byteLength > LARGE_BYTES;
  // Newer than the library that TypeScript is told of.
  if (isAlone) (buffer as ArrayBuffer & { transfer(length: number): ArrayBuffer }).transfer(0);
}
