/**
 * The images that a run was trained and validated on, which are part of its identity. `images.csv` in its folder lists them in order:
 *
 *     split,class,sha256,path
 *     train,awe,9f86d081884c7d65...,train/awe/a.jpg
 *
 * with the class's folder, the SHA-256 of the file (as in the feature cache) and the path relative to the folder of the data set.
 * run.json has one hash for each split, of file hashes, labels and votes in order, so moving or renaming files changes nothing.
 */
import { dirname, join, relative, resolve, sep } from 'node:path';
import { InputError } from '../errors.js';
import { type ClassName, isManifestName, type Split } from '../ptdpc/index.js';
import { csvLine, textOfCell } from '../ptdpc/predictions-csv.js';
import { exists } from './checkpoint-files.js';
import { csvRecords } from './csv-file.js';
import type { EncodedSplit } from './encode-splits.js';
import { sha256 } from './feature-segment.js';
import type { SkippedImage } from './image-files.js';

const FILE = 'images.csv';
const HEADER = ['split', 'class', 'sha256', 'path'] as const;

/** An image of a run. */
export interface RunImage {
  split: 'train' | 'val';
  /** Folder of its class. */
  class: string;
  /** Of the file's bytes, in hexadecimal. */
  sha256: string;
  /** Relative to the folder of the data set, with `/`. */
  path: string;
}

/** What identifies the images of a split. */
export type SplitContent = Pick<EncodedSplit, 'labels' | 'hashes' | 'votes'>;

/** SHA-256 of the files' hashes, labels and votes, in order: the order of images decides which ones form a batch. */
export function contentHash({ labels, hashes, votes }: SplitContent): string {
  const classes = votes && votes.length / labels.length;
  const votesOf = (i: number) => (classes ? ` ${votes.subarray(i * classes, (i + 1) * classes).join()}` : '');
  return sha256(hashes.map((hash, i) => `${hash} ${labels[i]}${votesOf(i)}\n`).join(''));
}

/** The folder that the images of a data set lie in: itself, or where its manifest is. */
export function dataFolder(root: string): string {
  return resolve(isManifestName(root) ? dirname(root) : root);
}

/** An image's path relative to the folder of its data set, the same on all systems. */
export function pathInData(root: string, path: string): string {
  return relative(dataFolder(root), resolve(path)).split(sep).join('/');
}

/** An unreadable image by its path relative to the folder of its data set, in the reason too: the same wherever the data set lies. */
export function skippedInData(root: string, { path, reason }: SkippedImage): SkippedImage {
  return {
    path: pathInData(root, path),
    reason: reason.startsWith(`${path}: `) ? reason.slice(path.length + 2) : reason,
  };
}

/** The images of one split of a run. `root` is the data set's. */
export function runImages(
  split: RunImage['split'],
  { labels, hashes, paths }: Pick<EncodedSplit, 'labels' | 'hashes' | 'paths'>,
  classes: readonly ClassName[],
  root: string,
): RunImage[] {
  return paths.map((path, i) => ({
    split,
    class: classes[labels[i]!]!.folder,
    sha256: hashes[i]!,
    path: pathInData(root, path),
  }));
}

/** The lines of images.csv. */
export function imageLines(images: readonly RunImage[]): string[] {
  return [HEADER, ...images.map((image) => HEADER.map((name) => image[name]))].map(csvLine);
}

/** The path of images.csv in a run's folder. */
export function imagesPath(run: string): string {
  return join(run, FILE);
}

/**
 * The images that a run was trained and validated on, in order; undefined for a run of an earlier version, which did not record them.
 * Throws InputError if images.csv is something else.
 */
export async function readRunImages(run: string): Promise<RunImage[] | undefined> {
  const path = imagesPath(run);
  if (!(await exists(path))) return undefined;
  let header: string[] | undefined;
  const images: RunImage[] = [];
  for await (const record of csvRecords(path)) {
    if (!header) {
      header = record;
      if (header.join() !== HEADER.join()) break;
      continue;
    }
    const [split, name = '', hash = '', image = ''] = record.map(textOfCell);
    if (!((split === 'train' || split === 'val') && /^[0-9a-f]{64}$/.test(hash)))
      throw new InputError(
        `${path}: image ${images.length + 1}: expected split train or val and the SHA-256 of a file`,
      );
    images.push({ split, class: name, sha256: hash, path: image });
  }
  if (header?.join() !== HEADER.join()) throw new InputError(`${path}: expected the columns ${HEADER.join(', ')}`);
  return images;
}

/** How many images of a split were not in it before, and the first of them; or that only their order differs. For people. */
export function describeOtherImages(
  before: readonly RunImage[],
  now: readonly RunImage[],
  split: RunImage['split'],
): string {
  const key = (image: RunImage) => `${image.sha256} ${image.class}`;
  const of = (images: readonly RunImage[]) => images.filter((image) => image.split === split);
  const known = new Set(of(before).map(key));
  const others = of(now).filter((image) => !known.has(key(image)));
  const [first] = others;
  return first
    ? `${others.length} of ${of(now).length}, the first is ${first.path}`
    : 'the same ones in another order or with other votes';
}

/** How many of the images of an evaluation a run knew before, by the content of their files. */
export interface SeenImages {
  /** Trained on. */
  train: number;
  /** Validated on, and not trained on. */
  val: number;
  /** Path of the first of either; null if there are none. */
  first: string | null;
}

/** Which images of a split a run knew before; the validation images of a run may be evaluated on, and do not count then. */
export function seenImages(
  before: readonly RunImage[],
  { hashes, paths }: Pick<EncodedSplit, 'hashes' | 'paths'>,
  split: Split,
): SeenImages {
  const splitOf = new Map<string, Split>();
  if (split !== 'val') for (const image of before) if (image.split === 'val') splitOf.set(image.sha256, 'val');
  for (const image of before) if (image.split === 'train') splitOf.set(image.sha256, 'train');
  const known = hashes.map((hash) => splitOf.get(hash));
  const first = known.findIndex((split) => split !== undefined);
  return {
    train: known.filter((split) => split === 'train').length,
    val: known.filter((split) => split === 'val').length,
    first: paths[first] ?? null,
  };
}
