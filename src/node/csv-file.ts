/** Files of comma-separated values (RFC 4180): those that people bring, and our own. */
import { pipeline, Readable } from 'node:stream';
import { type Options, parse } from 'csv-parse';
import { MAX_TEXT_BYTES } from '../clip/checkpoint/index.js';
import { shortened } from '../clip/checkpoint/quoted.js';
import { InputError, messageOf } from '../errors.js';
import { textLines } from './text-lines.js';

/**
 * The cells of each record, one record at a time. Throws InputError naming the file where it cannot be read or is something else; with
 * `complete`, also where its last line does not end, since its last cell may have been cut.
 */
export async function* csvRecords(
  path: string,
  { complete = false, ...options }: Options & { complete?: boolean } = {},
): AsyncGenerator<string[]> {
  let last = '\n';
  const lines = async function* () {
    for await (const line of textLines(path)) {
      yield line;
      last = line;
    }
  };
  const records = parse({ ...options, max_record_size: MAX_TEXT_BYTES });
  // What fails in the source comes out of `records`.
  pipeline(Readable.from(lines()), records, () => {});
  try {
    yield* records as AsyncIterable<string[]>;
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${path}: expected comma-separated values (${shortened(messageOf(error))})`);
  }
  if (complete && !last.endsWith('\n'))
    throw new InputError(`${path}: cut short: expected a line end after the last line`);
}

/** The cells of all records. Throws InputError as `csvRecords` does. */
export async function readCsv(path: string, options: Options = {}): Promise<string[][]> {
  const records: string[][] = [];
  for await (const record of csvRecords(path, options)) records.push(record);
  return records;
}
