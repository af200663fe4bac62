/** What names of folders, and of labels and splits in lists, mean. People, archives and file systems write the same name in several ways. */
import { InputError } from '../../errors.js';
import { SPLITS, type Split } from './dataset.js';

const SPLIT_NAMES: Readonly<Record<Split, readonly string[]>> = {
  train: ['train', 'training'],
  val: ['val', 'valid', 'validation'],
  test: ['test', 'testing'],
};

/** The split that a name means, in any case: `Train`, `validation`, `testing`; undefined for none. */
export function splitNamed(name: string): Split | undefined {
  return SPLITS.find((split) => SPLIT_NAMES[split].includes(name.trim().toLowerCase()));
}

/**
 * The folder of each split among the folders of a data set; undefined if they are not split into folders. `valid` or `validation` without
 * training or test images beside it is a class. Throws InputError naming `where` for two folders of one split.
 */
export function splitFolders(folders: readonly string[], where: string): ReadonlyMap<Split, string> | undefined {
  const found = new Map<Split, string>();
  for (const folder of folders) {
    const split = splitNamed(folder);
    if (split === undefined) continue;
    const twin = found.get(split);
    if (twin !== undefined)
      throw new InputError(`${where}: "${twin}" and "${folder}" are both folders of ${split} images; expected one`);
    found.set(split, folder);
  }
  const isSplit = found.has('train') || found.has('test') || found.get('val')?.toLowerCase() === 'val';
  return isSplit ? found : undefined;
}

/** The name of a class: accents composed (NFC), since macOS writes folder names decomposed, and copies carry that to other systems. */
export function className(name: string): string {
  return name.normalize('NFC');
}

/** Names that begin with a dot, and what macOS's archives and network drives keep beside people's files. */
export function isHidden(name: string): boolean {
  return name.startsWith('.') || name === '__MACOSX' || name === '@eaDir';
}

/** One line where all classes are called by numbers, with a word or without: their prompts would be "0", or "0 amusement". */
export function numberedWarnings(names: readonly string[]): string[] {
  // With s, since what follows the separators then always matches, and is not sought again behind each of them.
  const words = names.map((name) => /^\d+(?:[\s_.-]+(.*))?$/s.exec(name)?.[1] ?? (/^\d+$/.test(name) ? '' : undefined));
  if (names.length === 0 || words.includes(undefined)) return [];
  const example = names.map((name, i) => `${name}=${words[i] || '<word>'}`).slice(0, 2);
  const found = names.slice(0, 2).map((name) => `"${name}"`);
  return [
    `the classes are called by numbers (${found.join(', ')}${names.length > 2 ? ', ...' : ''}), and so are their prompts; ` +
      `give them words in classes.json, or with --classes ${example.join(',')}${names.length > 2 ? ',...' : ''}`,
  ];
}
