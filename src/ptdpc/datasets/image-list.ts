/** The images that a layout's reader finds, before classes are chosen and splits are made. */
import { quoted } from '../../clip/checkpoint/quoted.js';
import { InputError } from '../../errors.js';
import type { Split, SplitOrigin } from './dataset.js';

/** An image as a data set lists it. */
export interface ListedImage {
  /** Below the root, with `/`. */
  path: string;
  /** The class as the data set has it, accents composed (`className`). */
  name: string;
  /** Undefined if the data set does not say. */
  split: Split | undefined;
  /** Path below the class's own folder, where there is one. */
  file?: string;
}

/** A file that a data set's own list names and that gives no image all the same. */
export interface Omitted {
  /** Below the root, with `/`. */
  path: string;
  why: 'missing' | 'no-majority';
}

/** The images of a data set, as its files list them. */
export interface ImageList {
  images: readonly ListedImage[];
  /** Every class that the data set names, with images or without, sorted by code unit. */
  names: readonly string[];
  /** Of them those that are classes unless someone says otherwise: the training images' ones, where there is a split. */
  classNames: readonly string[];
  /** Undefined if there is no split: all images' splits are undefined then. */
  origin: Extract<SplitOrigin, { kind: 'published' | 'given' | 'given-fold' }> | undefined;
  warnings: readonly string[];
  /** Absent in layouts without a list. */
  omitted?: readonly Omitted[];
}

export const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * A path that a manifest names, made relative to the root with `/`. Throws InputError for what could lead out of the root: an absolute
 * path, a drive, `..`.
 */
export function pathInside(text: string, where: string): string {
  // Manifests are written on Windows too.
  const path = text.trim().replaceAll('\\', '/');
  const parts = path.split('/');
  const leadsOut = path.startsWith('/') || /^[a-z]:/i.test(path) || parts.includes('..') || path.includes('\0');
  if (path === '' || leadsOut) {
    throw new InputError(`${where}: expected a path below the folder of the data set, found ${quoted(text)}`);
  }
  return parts.filter((part) => part !== '' && part !== '.').join('/');
}
