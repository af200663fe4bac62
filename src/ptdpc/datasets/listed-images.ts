/** Lists of images: what a layout's reader finds, the checks of lists that come with a data set, and manifests. */
import { quoted, shortened } from '../../clip/checkpoint/quoted.js';
import { InputError } from '../../errors.js';
import type { Votes } from '../label-distributions.js';
import { type DataFolder, ListedFiles, readJson } from './data-folder.js';
import { SPLITS, type Split, type SplitSource } from './dataset.js';
import { className, splitNamed } from './folder-names.js';
import { votedClass, votesOf, votesOfEntry, winnerOf } from './votes.js';

/** An entry of a list, and where it stands (`train.json: entry 3`). */
export interface Listed extends ListedImage {
  where: string;
}

/**
 * Checks a list and leaves out what is missing or listed twice, with a warning. Throws InputError if an image is listed with two
 * classes, two distributions of votes or in two splits, where only some entries have a split or votes, and if none of the files is there.
 */
export async function listOf(data: DataFolder, listed: readonly Listed[], source: string): Promise<ImageList> {
  if (listed.length === 0) throw new InputError(`${source}: expected images, found none`);
  const files = new ListedFiles(data);
  const seen = new Map<string, Listed>();
  const missing: Listed[] = [];
  let repeated = 0;
  for (const { path, name, ...rest } of listed) {
    const found = await files.find(path);
    const votes = rest.votes?.map(([voted, count]) => [className(voted), count] as const);
    const entry = { ...rest, votes, path: found ?? path, name: className(name) };
    const before = seen.get(entry.path);
    if (!before) {
      seen.set(entry.path, entry);
      if (found === undefined) missing.push(entry);
    } else {
      requireSame(before, entry, 'class', before.name, entry.name);
      requireSame(before, entry, 'split', before.split, entry.split);
      requireSame(before, entry, 'votes', before.votes?.join(), entry.votes?.join());
      repeated++;
    }
  }
  const all = [...seen.values()];
  const [some] = all;
  const odd = all.find(({ split }) => (split === undefined) !== (some?.split === undefined));
  if (odd) throw new InputError(`${odd.where}: expected a split for all images or for none`);
  const unvoted = all.find(({ votes }) => (votes === undefined) !== (some?.votes === undefined));
  if (unvoted) throw new InputError(`${unvoted.where}: expected votes for all images or for none`);

  const absent = new Set(missing);
  const images = all
    .filter((entry) => !absent.has(entry))
    .map(
      ({ path, name, split, votes, isVoted }): ListedImage => ({ path, name, split, ...(votes && { votes, isVoted }) }),
    );
  const [lost] = missing;
  if (images.length === 0 && lost) {
    throw new InputError(
      `${lost.where}: ${data.place(shortened(lost.path))} is not there, nor is any other listed image`,
    );
  }
  const warnings: string[] = [];
  if (lost)
    warnings.push(
      `${source}: ${missing.length} of ${all.length} listed images are missing, first ${shortened(lost.path)}`,
    );
  if (repeated > 0) warnings.push(`${source}: ${repeated} of ${listed.length} entries repeat an image`);
  const namesOf = (some: readonly Listed[]) => {
    const names = some.flatMap(({ name, votes = [] }) => [name, ...votes.map(([voted]) => voted)]);
    return [...new Set(names)].sort(byCodeUnit);
  };
  const first = SPLITS.find((split) => all.some((entry) => entry.split === split));
  return {
    images,
    names: namesOf(all),
    classNames: namesOf(all.filter(({ split }) => split === first)),
    origin: some?.split === undefined ? undefined : { kind: 'published' },
    warnings,
    omitted: missing.map(({ path }) => ({ path, why: 'missing' })),
  };
}

function requireSame(before: Listed, now: Listed, what: string, a: string | undefined, b: string | undefined): void {
  if (a === b) return;
  throw new InputError(
    `${now.where}: ${shortened(now.path)} has ${what} ${quoted(b ?? null)}, but ${quoted(a ?? null)} in ${before.where}`,
  );
}

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
  /** How many people named each class, or what share of them; of all images or of none. */
  votes?: Votes | undefined;
  /** The class is not given, but is the one with most votes. */
  isVoted?: boolean | undefined;
}

/** A file that a data set's own list names and that gives no image all the same. */
export interface Omitted {
  /** Below the root, with `/`. */
  path: string;
  why: 'missing' | 'no-majority' | 'no-votes';
}

/** The images of a data set, as its files list them. */
export interface ImageList {
  images: readonly ListedImage[];
  /** Every class that the data set names, with images or without, sorted by code unit. */
  names: readonly string[];
  /** Of them those that are classes unless someone says otherwise: the training images' ones, if there is a split. */
  classNames: readonly string[];
  /** Undefined if there is no split: all images' splits are undefined then. */
  origin: Extract<SplitSource, { kind: 'published' | 'given' | 'given-fold' }> | undefined;
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

// A manifest: one file that lists images, anywhere below its own folder.
//
// CSV: a header with `path`, `label` and, if there is a split, `split`, in any order among other columns. JSON: an array of objects
// with the same keys, or an object of such arrays by split; instead of an object an entry may be [label, path]. Where people voted, there is
// a column `votes(<class>)` or `p(<class>)` for each class, or in JSON an object `votes`; the label may then be left out.

/** Whether a path is that of a manifest rather than of a folder. */
export const isManifestName = (path: string): boolean => /\.(?:csv|json)$/i.test(path);

/** `manifest.csv` or `manifest.json`, if the folder has one. */
export async function manifestIn(data: DataFolder): Promise<string | undefined> {
  for (const name of ['manifest.csv', 'manifest.json']) if (await data.has(name)) return name;
  return undefined;
}

/** Throws InputError naming the line or entry that is wrong. */
export async function readManifest(data: DataFolder, file: string): Promise<ImageList> {
  const entries = /\.csv$/i.test(file) ? await readTable(data, file) : await readArrays(data, file);
  const listed = entries.filter((entry): entry is Listed => entry.name !== undefined);
  const found = await listOf(data, listed, file);
  const omitted = [...(found.omitted ?? []), ...unvotedOf(entries)];
  return { ...found, origin: found.origin && { kind: 'given' }, omitted };
}

async function readTable(data: DataFolder, path: string): Promise<ListedEntry[]> {
  const file = data.place(path);
  const [header = [], ...lines] = await data.csv(path);
  const column = (name: string) => header.findIndex((cell) => cell.toLowerCase() === name);
  const at = { path: column('path'), label: column('label'), split: column('split') };
  const voted = header.map(votedClass);
  const names = voted.filter((name) => name !== undefined);
  if (at.path < 0 || (at.label < 0 && names.length === 0))
    throw new InputError(
      `${file}: expected a header with path and label, or with path and votes(<class>), found ${quoted(header.join())}`,
    );
  return lines.map((cells, i) => {
    const where = `${file}: entry ${i + 1}`;
    const own = { path: cells[at.path], label: cells[at.label], split: cells[at.split] };
    if (names.length === 0) return entry(own, where);
    const counts = voted.flatMap((name, c) => (name === undefined ? [] : [cells[c]]));
    return entry(own, where, undefined, { votes: votesOf(names, counts, where) });
  });
}

async function readArrays(data: DataFolder, path: string): Promise<ListedEntry[]> {
  const file = data.place(path);
  const value = await readJson(data, path);
  if (Array.isArray(value)) return value.map((item: unknown, i) => entry(item, `${file}: entry ${i + 1}`));
  if (typeof value !== 'object' || value === null)
    throw new InputError(`${file}: expected an array of images or an object of such arrays, found ${quoted(value)}`);
  return Object.entries(value).flatMap(([split, items]: [string, unknown]) => {
    if (!Array.isArray(items))
      throw new InputError(`${file}: expected an array for "${split}", found ${quoted(items)}`);
    return items.map((item: unknown, i) => entry(item, `${file}: ${split} entry ${i + 1}`, split));
  });
}

/** The class is undefined where nobody voted for any. */
type ListedEntry = Omit<Listed, 'name'> & { name: string | undefined };

function entry(item: unknown, where: string, group?: string, voted?: { votes: Votes | undefined }): ListedEntry {
  const [label, path] = Array.isArray(item) ? (item as unknown[]) : [field(item, 'label'), field(item, 'path')];
  const split = group ?? (Array.isArray(item) ? undefined : field(item, 'split'));
  const own = Array.isArray(item) ? undefined : field(item, 'votes');
  const found = voted ?? (own === undefined ? undefined : { votes: votesOfEntry(own, where) });
  const isVoted = found !== undefined && (label === undefined || label === '');
  if (typeof path !== 'string' || !(isVoted || (typeof label === 'string' && label.trim() !== '')))
    throw new InputError(`${where}: expected a path and a label, found ${quoted(item)}`);
  const base = { path: pathInside(path, where), split: splitOf(split, where), where };
  if (!found) return { ...base, name: String(label).trim() };
  const { votes } = found;
  if (!votes) return { ...base, name: undefined };
  return { ...base, name: isVoted ? winnerOf(votes).name : String(label).trim(), votes, isVoted };
}

/** Images that nobody voted for. */
export function unvotedOf(entries: readonly { path: string; name: string | undefined }[]): Omitted[] {
  return entries.filter(({ name }) => name === undefined).map(({ path }) => ({ path, why: 'no-votes' }));
}

function field(item: unknown, name: string): unknown {
  return typeof item === 'object' && item !== null ? Reflect.get(item, name) : undefined;
}

function splitOf(value: unknown, where: string): Split | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const split = typeof value === 'string' ? splitNamed(value) : undefined;
  if (!split) throw new InputError(`${where}: expected split train, val or test, found ${quoted(value)}`);
  return split;
}
