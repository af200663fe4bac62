/** Files of comma-separated values (RFC 4180) that people bring. */
import { type Options, parse } from 'csv-parse/sync';
import { shortened } from '../clip/checkpoint/quoted.js';
import { InputError, messageOf } from '../errors.js';
import { readText } from './checkpoint-files.js';

/** The cells of each record. Throws InputError naming the file where it cannot be read or is something else. */
export async function readCsv(path: string, options: Options = {}): Promise<string[][]> {
  return parseCsv(await readText(path), path, options);
}

/** The cells of each record in the text of a file. Throws InputError naming the file where it is something else. */
export function parseCsv(text: string, path: string, options: Options = {}): string[][] {
  try {
    return parse(text, options) as unknown as string[][];
  } catch (error) {
    const reason = shortened(messageOf(error));
    throw new InputError(`${path}: expected comma-separated values (${reason})`);
  }
}
