/**
 * A manifest: one file that lists images, anywhere below its own folder.
 *
 * CSV: a header with `path`, `label` and, where there is a split, `split`, in any order among other columns. JSON: an array of objects
 * with the same keys, or an object of such arrays by split; instead of an object an entry may be [label, path].
 */
import { basename, dirname, join } from 'node:path';
import { InputError } from '../../errors.js';
import { type Split, splitNamed } from '../../ptdpc/datasets/index.js';
import { exists } from '../checkpoint-files.js';
import { readCsv } from '../csv-file.js';
import { type Found, pathInside, quoted } from './found.js';
import { parseJson } from './json-file.js';
import { foundOf, type Listed } from './listed-images.js';

export const isManifestName = (path: string): boolean => /\.(?:csv|json)$/i.test(path);

/** The manifest that a path means: itself, or `manifest.csv` or `manifest.json` in it; undefined if there is none. */
export async function manifestAt(path: string): Promise<string | undefined> {
  if (isManifestName(path)) return path;
  for (const name of ['manifest.csv', 'manifest.json']) if (await exists(join(path, name))) return join(path, name);
  return undefined;
}

/** Throws InputError naming the line or entry that is wrong. */
export async function readManifest(file: string): Promise<Found> {
  const listed = /\.csv$/i.test(file) ? await readTable(file) : await readJson(file);
  const found = await foundOf(dirname(file), listed, basename(file));
  return { ...found, origin: found.origin && { kind: 'given' } };
}

async function readTable(file: string): Promise<Listed[]> {
  const [header = [], ...lines] = await readCsv(file, { trim: true, skip_empty_lines: true, relax_column_count: true });
  const column = (name: string) => header.findIndex((cell) => cell.toLowerCase() === name);
  const [path, label, split] = [column('path'), column('label'), column('split')];
  if (path < 0 || label < 0)
    throw new InputError(`${file}: expected a header with path and label, found ${quoted(header.join())}`);
  return lines.map((cells, i) =>
    entry({ path: cells[path], label: cells[label], split: cells[split] }, `${file}: entry ${i + 1}`),
  );
}

async function readJson(file: string): Promise<Listed[]> {
  const value = await parseJson(file);
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
