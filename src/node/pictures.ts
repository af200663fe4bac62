/**
 * Pictures of a training whose image tower changes, so that no feature of theirs can be kept: decoded once where their pixels fit in memory, or else again
 * whenever they are needed.
 */
import type { Preprocessing, TruncatedImages } from '../clip/image/index.js';
import { InputError } from '../errors.js';
import type { ClassName, LabelledPath } from '../ptdpc/index.js';
import { type EncodedSplit, type ImageJob, labelled } from './encode-splits.js';
import { SILENT } from './events.js';
import { sha256 } from './feature-segment.js';
import { ImageDecoders } from './image-decoders.js';
import { readImageFile } from './image-files.js';
import { ImageReader, viewSeed } from './image-reader.js';
import { hardwareThreads } from './wasm-threads.js';

/** How pictures are read. */
export interface PictureRequest extends Pick<ImageJob, 'strict' | 'truncated' | 'events'> {
  readonly preprocessing: Preprocessing;
  /** So many random views of each, in place of the whole picture. */
  readonly views?: number | undefined;
  /** Whether pixels are kept; see `pictureBytes`. */
  readonly keep: boolean;
}

/** Images decoded at once. */
const AT_ONCE = 32;

/** Bytes of the pixels of so many views of images. */
export function pictureBytes(images: number, { size }: Preprocessing, views = 1): number {
  return 4 * images * views * size ** 2;
}

/** The readable images of a split. */
export interface PictureSplit extends Omit<EncodedSplit, 'features' | 'views'> {
  /**
   * The pixels [size, size] (see `modelPixels`) of the images at these places, in an epoch counted from 0: epochs take the views in turn. Rejects with an
   * InputError if a file is another one now.
   */
  pixels(places: Iterable<number>, epoch?: number): Promise<Int32Array[]>;
}

/** Reads every image once. Throws InputError as `encodeSplit` does. */
export async function readPictures(
  request: PictureRequest,
  images: readonly LabelledPath[],
  classes: readonly ClassName[],
): Promise<PictureSplit> {
  const { preprocessing, strict, truncated, views, keep, events = SILENT } = request;
  const first = views === undefined ? undefined : 1;
  const paths = images.map(({ path }) => path);
  using bar = events.progress(paths.length, 'decoding', 'images');
  const onProgress = (count: number) => bar.tick(count);
  using decoders = new ImageDecoders(hardwareThreads());
  const reader = new ImageReader(
    { paths, strict, truncated, view: first, onProgress },
    { preprocessing, width: 0 },
    decoders,
  );
  const kept = new Map<string, Int32Array>();
  let ahead = await reader.begin(AT_ONCE);
  while (ahead.length > 0) {
    const read = await reader.finish(ahead);
    ahead = await reader.begin(AT_ONCE);
    bar.tick(read.length);
    if (keep) for (const { index, pixels } of read) kept.set(keyOf(paths[index]!, first), pixels);
  }
  const { features: _, ...split } = labelled(reader.result(), images, classes);
  return {
    ...split,
    pixels: async (places, epoch = 0) => {
      const view = views === undefined ? undefined : (epoch % views) + 1;
      const chosen = [...places].map((place) => ({ path: split.paths[place]!, hash: split.hashes[place]! }));
      const missing = chosen.filter(({ path }) => !kept.has(keyOf(path, view)));
      const decoded = await decodeAgain(missing, preprocessing, truncated, view);
      const fresh = new Map(missing.map(({ path }, i) => [path, decoded[i]!]));
      if (keep) for (const [path, pixels] of fresh) kept.set(keyOf(path, view), pixels);
      return chosen.map(({ path }) => kept.get(keyOf(path, view)) ?? fresh.get(path)!);
    },
  };
}

const keyOf = (path: string, view: number | undefined): string => `${view ?? 0} ${path}`;

/** The pixels of files that have been read before. */
async function decodeAgain(
  files: readonly { readonly path: string; readonly hash: string }[],
  preprocessing: Preprocessing,
  truncated: TruncatedImages | undefined,
  view: number | undefined,
): Promise<Int32Array[]> {
  if (files.length === 0) return [];
  using decoders = new ImageDecoders(files.length === 1 ? 0 : hardwareThreads());
  return await Promise.all(
    files.map(async ({ path, hash }) => {
      const bytes = await readImageFile(path);
      if (sha256(bytes) !== hash)
        throw new InputError(`${path}: another file than when the training began; start it again in another folder`);
      const seed = view === undefined ? undefined : viewSeed(hash, view);
      return (await decoders.decode(bytes, path, preprocessing, truncated, seed)).pixels;
    }),
  );
}
