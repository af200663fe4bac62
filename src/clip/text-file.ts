/** Decodes users' text files: UTF-8, or UTF-16 with a byte order mark. Spreadsheets and old editors also save other encodings. */
import { InputError } from '../errors.js';

const MARKED: readonly (readonly [first: number, second: number, encoding: string])[] = [
  [0xff, 0xfe, 'utf-16le'],
  [0xfe, 0xff, 'utf-16be'],
];

/**
 * Decodes a file's bytes, dropping a byte order mark. Throws InputError naming the file and the first invalid line if it is neither
 * UTF-8 nor UTF-16 with a byte order mark; decoding it anyway would fill class words with U+FFFD.
 */
export function decodeText(bytes: Uint8Array, name: string): string {
  const encoding = encodingOf(bytes, name);
  const text = decoded(bytes, encoding);
  if (text !== undefined) return text;
  if (encoding !== 'utf-8')
    throw new InputError(`${name}: expected UTF-16 text, as its byte order mark says, found invalid text; ${WAY_OUT}`);
  throw notUtf8(name, firstWrongLine(bytes));
}

/** The encoding of a text file, by its first two bytes. Throws InputError naming the file if one of them is zero. */
export function encodingOf([first, second]: Uint8Array, name: string): string {
  const marked = MARKED.find(([a, b]) => a === first && b === second);
  if (!marked && (first === 0 || second === 0))
    throw new InputError(
      `${name}: expected UTF-8 text, found zero bytes (UTF-16 without a byte order mark?); ${WAY_OUT}`,
    );
  return marked?.[2] ?? 'utf-8';
}

/** Decodes one line (counted from 1) of a UTF-8 file. Throws InputError naming file and line if it is not valid UTF-8. */
export function decodeLine(bytes: Uint8Array, name: string, line: number): string {
  const text = decoded(bytes, 'utf-8', line > 1);
  if (text === undefined) throw notUtf8(name, line);
  return text;
}

function notUtf8(name: string, line: number): InputError {
  return new InputError(`${name}: line ${line}: expected UTF-8 text, found other bytes; ${WAY_OUT}`);
}

const WAY_OUT = 'save it as UTF-8';

function decoded(bytes: Uint8Array, encoding: string, ignoreBOM = false): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Counted from 1. A line feed is never part of a longer UTF-8 sequence, so lines can be decoded separately. */
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
