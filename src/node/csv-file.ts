/** Text files line by line, and files of comma-separated values (RFC 4180): users' and our own. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { type Options, parse } from 'csv-parse';
import { MAX_TEXT_BYTES } from '../clip/checkpoint/index.js';
import { shortened } from '../clip/checkpoint/quoted.js';
import { decodeLine, encodingOf } from '../clip/text-file.js';
import { InputError, messageOf } from '../errors.js';
import { readText } from './checkpoint-files.js';
import { kindOfFile, naming } from './system-error.js';

/**
 * The cells of each record, one record at a time. Throws InputError naming the file where it cannot be read or is something else; with
 * `complete`, also if its last line does not end, since its last cell may have been cut.
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

const LINE_FEED = 0x0a;

/**
 * The lines of a text file, each with the line feed that ends it, so that a file that was cut can be recognised. UTF-8 of any size, or UTF-16
 * with a byte order mark of up to 16 MiB. Throws InputError naming the file, and the line, where it cannot be read, is not text, or has a line
 * of more than 16 MiB.
 */
export async function* textLines(path: string): AsyncGenerator<string> {
  const status = await naming(path, 'cannot be opened', () => stat(path));
  if (!status.isFile()) throw new InputError(`${path}: expected a file, found ${kindOfFile(status)}`);
  let line = 0;
  // The beginning of a line whose end is in a later chunk.
  let parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 }) as AsyncIterable<Buffer>) {
      if (line === 0 && bytes === 0 && encodingOf(chunk, path) !== 'utf-8') {
        yield* (await readText(path)).split(/(?<=\n)/);
        return;
      }
      let start = 0;
      for (let end = chunk.indexOf(LINE_FEED) + 1; end > 0; end = chunk.indexOf(LINE_FEED, start) + 1) {
        yield decodeLine(Buffer.concat([...parts, chunk.subarray(start, end)]), path, ++line);
        parts = [];
        bytes = 0;
        start = end;
      }
      if (start === chunk.length) continue;
      parts.push(chunk.subarray(start));
      bytes += chunk.length - start;
      if (bytes > MAX_TEXT_BYTES)
        throw new InputError(`${path}: line ${line + 1}: expected at most ${MAX_TEXT_BYTES} bytes, found more`);
    }
  } catch (error) {
    await naming(path, 'cannot be read', () => Promise.reject(error));
  }
  if (parts.length > 0) yield decodeLine(Buffer.concat(parts), path, line + 1);
}
