/** JSON files that people bring. */
import { InputError } from '../../errors.js';
import { MAX_DATA_BYTES, readText } from '../checkpoint-files.js';

/** Throws InputError naming the file if it cannot be read or is not JSON. */
export async function parseJson(path: string): Promise<unknown> {
  const text = await readText(path, MAX_DATA_BYTES);
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError(`${path}: expected JSON, found something else`);
  }
}
