/** Which classes take part, in which order, by which words: `--classes`, `classes.json`, or all that a data set has. */
import { quoted, shortened } from '../../clip/checkpoint/quoted.js';
import { cleanText } from '../../clip/tokenizer/clean-text.js';
import { InputError } from '../../errors.js';
import type { ClassName } from '../prompts-file.js';
import { type DataFolder, readJson } from './data-folder.js';
import { classWord } from './dataset.js';
import { className } from './folder-names.js';

/** `a,b=two words,c` as `--classes` has it. */
export function parseClassList(option: string): ClassName[] {
  return option.split(',').map((item) => {
    const [folder = '', word = classWord(folder)] = item.split('=').map((part) => part.trim());
    if (folder === '' || word === '')
      throw new InputError(`--classes: expected names separated by commas, found ${quoted(option)}`);
    return { folder: className(folder), word };
  });
}

/** `<root>/classes.json`: an array of folders, or an object of folder: word; undefined if there is none. */
export async function readClassesJson(data: DataFolder): Promise<ClassName[] | undefined> {
  if (!(await data.has('classes.json'))) return undefined;
  const path = data.place('classes.json');
  const wrong = (found: unknown) =>
    new InputError(
      `${path}: expected an array of folder names or an object of folder name: class word, found ${quoted(found)}`,
    );
  const value = await readJson(data, 'classes.json');
  if (Array.isArray(value)) {
    if (!value.every((item) => typeof item === 'string')) throw wrong(value);
    return value.map((folder: string) => ({ folder: className(folder), word: classWord(folder) }));
  }
  if (typeof value !== 'object' || value === null) throw wrong(value);
  return Object.entries(value).map(([folder, word]: [string, unknown]) => {
    if (typeof word !== 'string' || word.trim() === '') throw wrong({ [folder]: word });
    return { folder: className(folder), word };
  });
}

/**
 * Throws InputError, naming `source`, where a class is not among `known`, is listed twice, or reads the same as another.
 */
export function requireDistinct(classes: readonly ClassName[], known: readonly string[], source: string): void {
  const folderOf = new Map<string, string>();
  const seen = new Set<string>();
  for (const { folder, word } of classes) {
    if (seen.has(folder)) throw new InputError(`${source}: class ${quoted(folder)} is listed twice`);
    if (!known.includes(folder))
      throw new InputError(
        `${source}: class ${quoted(folder)} is not in the data set; it has ${shortened(known.join(', '))}`,
      );
    // What the tokenizer does first: case, white space and HTML references make no difference to it. Once there is a tokenizer, the ids
    // are compared (classTokens).
    const read = cleanText(word);
    const twin = folderOf.get(read);
    if (twin !== undefined)
      throw new InputError(
        `${source}: classes ${quoted(twin)} and ${quoted(folder)} have the same word ${quoted(word)}`,
      );
    seen.add(folder);
    folderOf.set(read, folder);
  }
}
