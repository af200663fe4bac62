/**
 * Labelled images on disk: `<data>/{train,val,test}/<class>/*.{jpg,jpeg,png}`.
 *
 * A class is named by its folder; `_` and `-` read as spaces in the class word. `--classes` or `<data>/classes.json` give
 * another order, other words, or a selection.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import type { ClassName } from '../ptdpc/index.js';
import { exists, readText } from './checkpoint-files.js';

export type Split = 'train' | 'val' | 'test';

export interface LabelledPath {
  path: string;
  /** Place of the class in the list of classes. */
  label: number;
}

const IMAGE_NAME = /\.(jpe?g|png)$/i;

/**
 * The classes, in order: from `option` (`a,b=two words,c`), else from `<data>/classes.json` (an array of folders, or an
 * object of folder: word), else the sorted folders of `<data>/<split>`. Throws InputError where a class has no folder, is listed
 * twice, or reads the same as another.
 */
export async function readClasses(data: string, split: Split, option?: string): Promise<ClassName[]> {
  const folders = await classFolders(data, split);
  const given = option === undefined ? await classesJson(data) : parseClassList(option);
  const classes = given ?? folders.map((folder) => ({ folder, word: classWord(folder) }));
  const source = option === undefined ? join(data, given ? 'classes.json' : split) : '--classes';
  const folderOf = new Map<string, string>();
  const seen = new Set<string>();
  for (const { folder, word } of classes) {
    if (seen.has(folder)) throw new InputError(`${source}: class "${folder}" is listed twice`);
    if (!folders.includes(folder))
      throw new InputError(`${source}: class "${folder}" has no folder ${join(data, split, folder)}`);
    // The tokenizer is blind to case, so CLIP could not tell these classes apart.
    const twin = folderOf.get(word.toLowerCase());
    if (twin !== undefined)
      throw new InputError(`${source}: classes "${twin}" and "${folder}" have the same word "${word}"`);
    seen.add(folder);
    folderOf.set(word.toLowerCase(), folder);
  }
  return classes;
}

/**
 * The images of a split in class order, then by file name. Throws InputError where the split or a class of it has no images;
 * returns undefined for a missing split that is `optional`.
 */
export async function readSplit(
  data: string,
  split: Split,
  classes: readonly ClassName[],
  optional = false,
): Promise<LabelledPath[] | undefined> {
  const root = join(data, split);
  if (optional && (await entries(root)) === undefined) return undefined;
  const folders = await classFolders(data, split);
  const images: LabelledPath[] = [];
  for (const [label, { folder }] of classes.entries()) {
    // A held-out split may lack a class; a training split may not.
    if (!folders.includes(folder) && split !== 'train') continue;
    const found = ((await entries(join(root, folder))) ?? []).filter(
      ({ isFolder, name }) => !isFolder && IMAGE_NAME.test(name),
    );
    if (found.length === 0)
      throw new InputError(`${join(root, folder)}: expected images (.jpg, .jpeg, .png), found none`);
    for (const { name } of found) images.push({ path: join(root, folder, name), label });
  }
  if (images.length === 0) {
    throw new InputError(
      `${root}: none of its folders is one of the classes ${classes.map(({ folder }) => folder).join(', ')}`,
    );
  }
  return images;
}

/** Folders of a split that are not among the classes: their images take no part. */
export async function unusedFolders(data: string, split: Split, classes: readonly ClassName[]): Promise<string[]> {
  return (await classFolders(data, split)).filter((name) => !classes.some(({ folder }) => folder === name));
}

/** `great_joy` reads as "great joy". */
export function classWord(folder: string): string {
  return folder.replace(/[_-]+/g, ' ').trim();
}

async function classFolders(data: string, split: Split): Promise<string[]> {
  const root = join(data, split);
  const found = await entries(root);
  if (!found)
    throw new InputError(`${root}: not found; expected images in ${join(data, '{train,val,test}', '<class>')}`);
  const folders = found.filter(({ isFolder }) => isFolder).map(({ name }) => name);
  if (folders.length === 0) throw new InputError(`${root}: expected one folder per class, found none`);
  return folders;
}

/**
 * Sorted by code unit, so that the order is the same everywhere; hidden ones left out, links followed; undefined where there is
 * no such folder.
 */
async function entries(folder: string): Promise<{ name: string; isFolder: boolean }[] | undefined> {
  try {
    const found = await readdir(folder, { withFileTypes: true });
    const visible = found.filter(({ name }) => !name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1));
    return await Promise.all(
      visible.map(async (entry) => ({
        name: entry.name,
        isFolder: entry.isSymbolicLink() ? await isFolder(join(folder, entry.name)) : entry.isDirectory(),
      })),
    );
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return undefined;
    throw new InputError(`${folder}: cannot be listed (${code === 'ENOTDIR' ? 'it is a file' : String(code)})`);
  }
}

/** False for a link that leads nowhere too. */
async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

async function classesJson(data: string): Promise<ClassName[] | undefined> {
  const path = join(data, 'classes.json');
  if (!(await exists(path))) return undefined;
  const text = await readText(path);
  const wrong = (found: string) =>
    new InputError(
      `${path}: expected an array of folder names or an object of folder name: class word, found ${found}`,
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong('text that is no JSON');
  }
  if (Array.isArray(value)) {
    if (!value.every((item) => typeof item === 'string')) throw wrong('an array of something else');
    return value.map((folder: string) => ({ folder, word: classWord(folder) }));
  }
  if (typeof value !== 'object' || value === null) throw wrong(JSON.stringify(value));
  return Object.entries(value).map(([folder, word]: [string, unknown]) => {
    if (typeof word !== 'string' || word.trim() === '') throw wrong(`${JSON.stringify(word)} for "${folder}"`);
    return { folder, word };
  });
}

function parseClassList(option: string): ClassName[] {
  return option.split(',').map((item) => {
    const [folder = '', word = classWord(folder)] = item.split('=').map((part) => part.trim());
    if (folder === '' || word === '')
      throw new InputError(`--classes: expected names separated by commas, found ${JSON.stringify(option)}`);
    return { folder, word };
  });
}
