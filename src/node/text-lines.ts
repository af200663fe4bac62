/** Text files that grow with the number of images, classes or steps: read a line at a time, however long the file is. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { MAX_TEXT_BYTES } from '../clip/checkpoint/index.js';
import { decodeLine, encodingOf } from '../clip/text-file.js';
import { InputError } from '../errors.js';
import { readText } from './checkpoint-files.js';
import { kindOfFile, naming } from './system-error.js';

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
