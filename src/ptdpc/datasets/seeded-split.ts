/**
 * Splits for data sets that are published without one. They depend on the seed and on the images' classes and file names alone: not
 * on the order of a file system, the machine, or the setting (FI's two classes are split as its eight are). Images are ranked by a
 * hash of their names, so that a copy that lacks some images is split as the whole one is, but for a few at the borders.
 */
import type { Split } from './dataset.js';

/** What is split: something of a class, with a name that stays the same. */
export interface Splittable {
  /** Path below the root, with `/`. */
  path: string;
  /** The class as the data set has it. */
  name: string;
  /** Path below the class's own folder; the file name unless given. */
  file?: string | undefined;
}

/** Shares of the held-out splits; the rest is for training. */
export interface Shares {
  val: number;
  test: number;
}

/**
 * The split of each image, stratified by class. `round(share * images)` images are held out in all; a class gives its share rounded
 * down, and those that lost most by that one more. An image alone in its class is for training.
 */
export function seededSplit(images: readonly Splittable[], { val, test }: Shares, seed: number): Split[] {
  const classes = shuffledClasses(images, seed);
  const sizes = classes.map(({ length }) => length);
  const tests = apportion(sizes, test);
  const vals = apportion(sizes, val);
  const splits = new Array<Split>(images.length).fill('train');
  classes.forEach((order, c) => {
    const [forTest, forVal] = [tests[c]!, vals[c]!];
    if (order.length < 2) return;
    for (const place of order.slice(0, forTest)) splits[place] = 'test';
    for (const place of order.slice(forTest, forTest + forVal)) splits[place] = 'val';
  });
  return splits;
}

/** One of `folds` stratified folds (counted from 1) is for testing, the others for training. The folds' sizes differ by one at most. */
export function seededFold(images: readonly Splittable[], folds: number, fold: number, seed: number): Split[] {
  const splits = new Array<Split>(images.length).fill('train');
  shuffledClasses(images, seed)
    .flat()
    .forEach((place, i) => {
      if (i % folds === fold - 1) splits[place] = 'test';
    });
  return splits;
}

/** Places of the images of each class, classes by name, images by their hash. */
function shuffledClasses(images: readonly Splittable[], seed: number): number[][] {
  const byName = new Map<string, { rank: number; path: string; place: number }[]>();
  images.forEach((image, place) => {
    const own = image.name.toLowerCase();
    const members = byName.get(own) ?? [];
    byName.set(own, members);
    members.push({ rank: rankOf(image, String(seed)), path: image.path, place });
  });
  return [...byName]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, members]) =>
      members.sort((a, b) => a.rank - b.rank || (a.path < b.path ? -1 : 1)).map(({ place }) => place),
    );
}

/** Where an image stands in the order that `key` draws: a hash of the key, its class and its file name. */
export function rankOf({ path, name, file = path.slice(path.lastIndexOf('/') + 1) }: Splittable, key: string): number {
  // File systems differ in how they write accents.
  return hash(`${key}/${name.toLowerCase()}/${file.normalize('NFC')}`);
}

/** Largest remainders: whole numbers near `share` of each size, in sum round(share * sum of sizes). */
function apportion(sizes: readonly number[], share: number): number[] {
  const exact = sizes.map((size) => size * share);
  const whole = exact.map(Math.floor);
  const total = Math.round(share * sizes.reduce((a, b) => a + b, 0));
  const missing = total - whole.reduce((a, b) => a + b, 0);
  const byLoss = exact.map((x, c) => ({ c, loss: x - Math.floor(x) })).sort((a, b) => b.loss - a.loss || a.c - b.c);
  for (const { c } of byLoss.slice(0, missing)) whole[c]!++;
  return whole;
}

/** 32 bits: FNV-1a over code units (Fowler, Noll, Vo), then the finalizer of MurmurHash3 (Appleby), both public domain. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
