/** Data sets on disk: `src/ptdpc/datasets/` with paths of the file system, and checks of the image files themselves. */
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { clipPreprocessing, type TruncatedImages } from '../clip/image/index.js';
import { InputError } from '../errors.js';
import {
  checkReadDataset,
  type Dataset,
  type DatasetCheck,
  type DatasetOptions,
  isManifestName,
  type LabelledPath,
  readDataset,
  SPLITS,
  type Split,
} from '../ptdpc/datasets/index.js';
import { exists } from './checkpoint-files.js';
import { diskFolder } from './disk-folder.js';
import { sha256 } from './feature-segment.js';
import { ImageDecoders } from './image-decoders.js';
import { readImageFile, type SkippedImage } from './image-files.js';
import { hardwareThreads } from './wasm-threads.js';

export type { DatasetCheck, DatasetOptions };

/**
 * Reads the lists of the data set in the folder, or of the manifest, `root`. Throws InputError as `readDataset` does, and if there is
 * nothing at `root`.
 */
export async function openDataset(root: string, options: DatasetOptions = {}): Promise<Dataset> {
  const { directory, data, manifest } = await dataAt(root);
  return located((await readDataset(data, { ...options, manifest })).dataset, directory);
}

/** Reads a data set as `openDataset` does, counts it, and looks in its folder for what is not used. */
export async function checkDataset(root: string, options: DatasetOptions = {}): Promise<DatasetCheck> {
  const { directory, data, manifest } = await dataAt(root);
  const check = await checkReadDataset(data, await readDataset(data, { ...options, manifest }));
  return { ...check, dataset: located(check.dataset, directory) };
}

async function dataAt(root: string) {
  if (!(await exists(root))) throw new InputError(`${root}: not found; expected a folder of images or a manifest`);
  const isManifest = isManifestName(root);
  if (!isManifest && (await stat(root)).isFile())
    throw new InputError(`${root}: expected a folder, or a .csv or .json manifest, found a file`);
  const directory = isManifest ? dirname(root) : root;
  return { directory, data: diskFolder(directory, root), manifest: isManifest ? basename(root) : undefined };
}

/** The data set with paths of the file system. */
function located(dataset: Dataset, directory: string): Dataset {
  const splits: Partial<Record<Split, readonly LabelledPath[]>> = {};
  for (const split of SPLITS) {
    const images = dataset.splits[split];
    if (images) splits[split] = images.map((image) => ({ ...image, path: join(directory, image.path) }));
  }
  return { ...dataset, splits };
}

/** An image that occurs in several places. */
export interface DuplicateImage {
  sha256: string;
  /** In the order of splits and classes. */
  places: readonly { path: string; split: Split; class: string }[];
}

/** Files read at once. */
const AT_ONCE = 8;

/**
 * The images with more than one path in the splits of a data set, by the content of their files; files that cannot be read are left out.
 * `onImage` is called after each one.
 */
export async function duplicateImages(
  { splits, classes }: Pick<Dataset, 'splits' | 'classes'>,
  onImage: () => void = () => {},
): Promise<DuplicateImage[]> {
  const places = SPLITS.flatMap((split) =>
    (splits[split] ?? []).map(({ path, label }) => ({ path, split, class: classes[label]!.folder })),
  );
  const hashes: (string | undefined)[] = [];
  let next = 0;
  const work = async () => {
    for (let index = next++; index < places.length; index = next++) {
      hashes[index] = await readImageFile(places[index]!.path).then(sha256, unlessUnreadable);
      onImage();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const byHash = new Map<string, DuplicateImage['places'][number][]>();
  places.forEach((place, index) => {
    const hash = hashes[index];
    if (hash === undefined) return;
    const same = byHash.get(hash) ?? [];
    byHash.set(hash, same);
    same.push(place);
  });
  return [...byHash].flatMap(([sha256, places]) => (places.length > 1 ? [{ sha256, places }] : []));
}

/** Whether a duplicate makes results wrong: it occurs in two splits or two classes. */
export function isHarmful({ places }: DuplicateImage): boolean {
  const [first] = places;
  return places.some((place) => place.split !== first!.split || place.class !== first!.class);
}

function unlessUnreadable(error: unknown): undefined {
  if (!(error instanceof InputError)) throw error;
}

/** What the paper's model takes. Nothing here depends on it but the time. */
const PREPROCESSING = clipPreprocessing(224);

/** Images under way for each thread: one being decoded, one read. */
const AHEAD = 2;

/** What decoding finds of some images, in their order. */
export interface DecodedImages {
  /** Those that cannot be read. */
  unreadable: SkippedImage[];
  /** Those whose files are cut short and were read so. */
  truncated: string[];
}

/**
 * Decodes images on all cores, as encoding does. `truncated`: how truncated files are read. `onImage` is called after each one.
 */
export async function decodeImages(
  paths: readonly string[],
  truncated: TruncatedImages = 'skip',
  onImage: (unreadable: boolean) => void = () => {},
): Promise<DecodedImages> {
  const threads = hardwareThreads();
  using decoders = new ImageDecoders(threads);
  const found = new Map<number, SkippedImage>();
  const cut = new Set<number>();
  let next = 0;
  const work = async () => {
    for (let index = next++; index < paths.length; index = next++) {
      const path = paths[index]!;
      try {
        const image = await decoders.decode(await readImageFile(path), path, PREPROCESSING, truncated);
        if (image.truncated) cut.add(index);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        found.set(index, { path, reason: error.message });
      }
      onImage(found.has(index));
    }
  };
  await Promise.all(Array.from({ length: AHEAD * threads }, work));
  return {
    unreadable: [...found].sort(([a], [b]) => a - b).map(([, image]) => image),
    truncated: paths.filter((_, index) => cut.has(index)),
  };
}
