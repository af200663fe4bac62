/**
 * A manifest: one file that lists images, anywhere below its own folder.
 *
 * CSV: a header with `path`, `label` and, where there is a split, `split`, in any order among other columns. JSON: an array of objects
 * with the same keys, or an object of such arrays by split; instead of an object an entry may be [label, path].
 */

import { quoted } from '../../clip/checkpoint/quoted.js';
import { InputError } from '../../errors.js';
import { type DataFolder, readJson } from './data-folder.js';
import type { Split } from './dataset.js';
import { splitNamed } from './folder-names.js';
import { type ImageList, pathInside } from './image-list.js';
import { type Listed, listOf } from './listed-images.js';

/** Whether a path is that of a manifest rather than of a folder. */
export const isManifestName = (path: string): boolean => /\.(?:csv|json)$/i.test(path);

/** `manifest.csv` or `manifest.json`, if the folder has one. */
export async function manifestIn(data: DataFolder): Promise<string | undefined> {
  for (const name of ['manifest.csv', 'manifest.json']) if (await data.has(name)) return name;
  return undefined;
}

/** Throws InputError naming the line or entry that is wrong. */
export async function readManifest(data: DataFolder, file: string): Promise<ImageList> {
  const listed = /\.csv$/i.test(file) ? await readTable(data, file) : await readArrays(data, file);
  const found = await listOf(data, listed, file);
  return { ...found, origin: found.origin && { kind: 'given' } };
}

async function readTable(data: DataFolder, path: string): Promise<Listed[]> {
  const file = data.place(path);
  const [header = [], ...lines] = await data.csv(path);
  const column = (name: string) => header.findIndex((cell) => cell.toLowerCase() === name);
  const at = { path: column('path'), label: column('label'), split: column('split') };
  if (at.path < 0 || at.label < 0)
    throw new InputError(`${file}: expected a header with path and label, found ${quoted(header.join())}`);
  return lines.map((cells, i) =>
    entry({ path: cells[at.path], label: cells[at.label], split: cells[at.split] }, `${file}: entry ${i + 1}`),
  );
}

async function readArrays(data: DataFolder, path: string): Promise<Listed[]> {
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

function entry(item: unknown, where: string, group?: string): Listed {
  const [label, path] = Array.isArray(item) ? (item as unknown[]) : [field(item, 'label'), field(item, 'path')];
  const split = group ?? (Array.isArray(item) ? undefined : field(item, 'split'));
  if (typeof path !== 'string' || typeof label !== 'string' || label.trim() === '')
    throw new InputError(`${where}: expected a path and a label, found ${quoted(item)}`);
  return { path: pathInside(path, where), name: label.trim(), split: splitOf(split, where), where };
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
