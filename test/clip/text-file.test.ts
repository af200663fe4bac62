/** Text files in the encodings that people save: read where they say what they are, refused by name and line where they do not. */
import { describe, expect, test } from 'vitest';
import { decodeText } from '../../src/clip/text-file.js';
import { InputError } from '../../src/errors.js';

const CSV = 'path,label\na.jpg,émotion\nb.jpg,情绪\n';
const utf16 = (text: string, bigEndian: boolean) => {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le');
  return bigEndian ? bytes.swap16() : bytes;
};
const refusal = (bytes: Uint8Array) => {
  try {
    return `read: ${decodeText(bytes, 'list.csv')}`;
  } catch (error) {
    return error instanceof InputError ? error.message : `not an InputError: ${String(error)}`;
  }
};

test.each([
  ['UTF-8', Buffer.from(CSV)],
  ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${CSV}`)],
  ['UTF-16, little-endian', utf16(CSV, false)],
  ['UTF-16, big-endian', utf16(CSV, true)],
])('%s is read', (_, bytes) => {
  expect(decodeText(bytes, 'list.csv')).toBe(CSV);
});

test('an empty file is empty text', () => {
  expect(decodeText(new Uint8Array(), 'list.csv')).toBe('');
});

describe('is refused', () => {
  const wrong = (line: number) => `list.csv: line ${line}: expected UTF-8 text, found other bytes; save it as UTF-8`;

  test('in Latin-1 and in GBK, with the first line that is wrong', () => {
    expect(refusal(Buffer.from('path,label\na.jpg,joy\nb.jpg,\xe9motion\n', 'latin1'))).toBe(wrong(3));
    expect(refusal(Buffer.from('\xe9', 'latin1'))).toBe(wrong(1));
    // The two characters of "emotion" in GBK.
    expect(refusal(Buffer.from([...Buffer.from('path,label\na.jpg,'), 0xc7, 0xe9, 0xd0, 0xf7, 0x0a]))).toBe(wrong(2));
  });

  test('in UTF-16 without a byte order mark, and where UTF-16 is damaged', () => {
    const zeros =
      'list.csv: expected UTF-8 text, found zero bytes (UTF-16 without a byte order mark?); save it as UTF-8';
    expect(refusal(utf16(CSV, false).subarray(2))).toBe(zeros);
    expect(refusal(utf16(CSV, true).subarray(2))).toBe(zeros);
    expect(refusal(utf16(CSV, false).subarray(0, 7))).toMatch(
      /^list\.csv: expected UTF-16 text, .* found invalid text; /,
    );
  });
});
