/** The text of files that people bring: UTF-8, or UTF-16 that says so. Spreadsheets and old editors save other encodings. */
import { InputError } from '../errors.js';

const MARKED: readonly (readonly [first: number, second: number, encoding: string])[] = [
  [0xff, 0xfe, 'utf-16le'],
  [0xfe, 0xff, 'utf-16be'],
];

/**
 * The text in the bytes of a file, without a byte order mark. Throws InputError naming the file, and the first line that is wrong, where it
 * is neither UTF-8 nor UTF-16 with a byte order mark: read as if it were, class words would be full of U+FFFD.
 */
export function decodeText(bytes: Uint8Array, name: string): string {
  const [first, second] = bytes;
  const marked = MARKED.find(([a, b]) => a === first && b === second);
  if (!marked && (first === 0 || second === 0))
    throw new InputError(
      `${name}: expected UTF-8 text, found zero bytes (UTF-16 without a byte order mark?); ${WAY_OUT}`,
    );
  const encoding = marked?.[2] ?? 'utf-8';
  const text = decoded(bytes, encoding);
  if (text !== undefined) return text;
  if (marked)
    throw new InputError(`${name}: expected UTF-16 text, as its first two bytes say, found damaged text; ${WAY_OUT}`);
  throw new InputError(`${name}: line ${firstWrongLine(bytes)}: expected UTF-8 text, found other bytes; ${WAY_OUT}`);
}

const WAY_OUT = 'save it as UTF-8';

function decoded(bytes: Uint8Array, encoding: string): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Counted from 1. A line feed is never part of a longer UTF-8 sequence, so that lines can be looked at one by one. */
function firstWrongLine(bytes: Uint8Array): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const found = bytes.indexOf(0x0a, start);
    const end = found < 0 ? bytes.length : found;
    if (decoded(bytes.subarray(start, end), 'utf-8') === undefined) break;
    start = end + 1;
  }
  return line;
}
