/** Where the files of a data set are: a folder of a file system, or files that a browser was given. */
import { InputError } from '../../errors.js';

/** A name in a folder. */
export interface FolderEntry {
  readonly name: string;
  readonly isFolder: boolean;
  readonly isLink: boolean;
  /** The name is not UTF-8, so nothing can be opened by it. */
  readonly isLost: boolean;
}

/** A folder with all below it. Paths are relative to it and written with `/`; the folder itself is `''`. */
export interface DataFolder {
  /** What the user calls the data set. */
  readonly name: string;
  /** A path as the user would write it, for messages. */
  place(path: string): string;
  /** All entries of a folder; undefined if there is no such folder. Throws InputError if it cannot be listed. */
  list(path: string): Promise<readonly FolderEntry[] | undefined>;
  /** The same for all paths of one folder, whatever links lead to it. */
  identity(path: string): Promise<string>;
  /** Whether there is a file or a folder at a path. */
  has(path: string): Promise<boolean>;
  /** A text file. Throws InputError naming it if it cannot be read. */
  text(path: string): Promise<string>;
  /** The cells of a file of comma-separated values, trimmed, without empty lines. Throws InputError naming it for anything else. */
  csv(path: string, quote?: string): Promise<readonly (readonly string[])[]>;
}

/** The value of a JSON file. Throws InputError naming it if it cannot be read or is not JSON. */
export async function readJson(data: DataFolder, path: string): Promise<unknown> {
  const text = await data.text(path);
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError(`${data.place(path)}: expected JSON, found something else`);
  }
}
