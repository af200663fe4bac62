import { describe, expect, test } from 'vitest';
import { bytesSource } from '../../../src/clip/checkpoint/byte-source.js';
import { openZip } from '../../../src/clip/checkpoint/zip.js';
import { concat, counting, expectInputError } from './support.js';
import { buildZip, type ZipPart } from './zip-builder.js';

const open = (bytes: Uint8Array) => openZip(bytesSource('x.zip', bytes));
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const PARTS: ZipPart[] = [
  { name: 'a', data: 'hello' },
  { name: 'folder/ä', data: 'compressed '.repeat(20_000), deflate: true },
  { name: '__proto__', data: '' },
];

describe('reading', () => {
  test.each([
    ['32-bit', {}],
    ['64-bit', { zip64: true }],
    ['with a comment that looks like the end of an archive', { comment: `PK\x05\x06${'x'.repeat(100)}` }],
  ])('%s archives', async (_, options) => {
    const zip = await open(buildZip(PARTS, options));
    expect(zip.names()).toEqual(['a', 'folder/ä', '__proto__']);
    expect(zip.size('folder/ä')).toBe(220_000);
    expect(text(await zip.read('a'))).toBe('hello');
    expect(text(await zip.read('a', 1, 3))).toBe('ell');
    expect(text(await zip.read('folder/ä'))).toBe('compressed '.repeat(20_000));
    expect(text(await zip.read('folder/ä', 11, 10))).toBe('compressed');
    expect(await zip.read('__proto__')).toHaveLength(0);
    expect(zip.has('constructor')).toBe(false);
    await expectInputError(zip.read('toString'), /^x\.zip: .*"toString"/);
    await expectInputError(zip.read('a', 3, 3), /"a": bytes 3 to 6 are needed, it has 5/);
  });

  test('a stored entry is read by range, and opening reads no data', async () => {
    const source = counting(bytesSource('x', buildZip([{ name: 'big', data: new Uint8Array(200_000) }])));
    const zip = await openZip(source);
    expect(source.total).toBeLessThan(66_000);
    source.total = 0;
    await zip.read('big', 100_000, 8);
    expect(source.total).toBe(30 + 8);
  });

  test('an empty archive has no entries', async () => {
    expect((await open(buildZip([]))).names()).toEqual([]);
  });
});

describe('hostile archives', () => {
  test.each<[string, ZipPart[], RegExp]>([
    [
      'stored size that lies',
      [{ name: 'a', data: 'x', claim: { size: 2 ** 31 } }],
      /"a" claims 2147483648 bytes from 1/,
    ],
    [
      'bomb by ratio',
      [{ name: 'a', data: 'x'.repeat(99), deflate: true, claim: { size: 2 ** 31 } }],
      /"a" claims 2147483648 bytes/,
    ],
    [
      'compressed size beyond the file',
      [{ name: 'a', data: 'x', claim: { size: 9e6, compressedSize: 9e6 } }],
      /"a" overlaps/,
    ],
    ['offset beyond the file', [{ name: 'a', data: 'x', claim: { headerOffset: 1e6 } }], /"a" overlaps/],
    [
      'two entries on the same bytes',
      [
        { name: 'a', data: 'x' },
        { name: 'b', data: 'x', claim: { headerOffset: 0 } },
      ],
      /overlaps/,
    ],
    [
      'one name twice',
      [
        { name: 'a', data: 'x' },
        { name: 'a', data: 'y' },
      ],
      /two entries "a"/,
    ],
  ])('%s is refused on opening', async (_, parts, pattern) => {
    await expectInputError(open(buildZip(parts)), /^x\.zip: /, pattern);
    await expectInputError(open(buildZip(parts, { zip64: true })), /^x\.zip: /, pattern);
  });

  test.each<[string, ZipPart, RegExp]>([
    [
      'inflates to more',
      { name: 'a', data: 'x'.repeat(5000), deflate: true, claim: { size: 4999 } },
      /more than the 4999 bytes/,
    ],
    [
      'inflates to less',
      { name: 'a', data: 'x'.repeat(5000), deflate: true, claim: { size: 5001 } },
      /inflates to 5000 bytes, it claims 5001/,
    ],
    [
      'is not deflated',
      { name: 'a', data: '\xff\xff\xff\xff', claim: { method: 8 } },
      /deflate stream is damaged|inflates to/,
    ],
    ['has an unknown method', { name: 'a', data: 'x', claim: { method: 14 } }, /method 14/],
    ['is encrypted', { name: 'a', data: 'x', claim: { flags: 1 } }, /encrypted/],
  ])('an entry that %s is refused on reading', async (_, part, pattern) => {
    const zip = await open(buildZip([part]));
    await expectInputError(zip.read('a'), /^x\.zip: archive entry "a"/, pattern);
  });

  test('a directory that lies about itself is refused', async () => {
    await expectInputError(open(buildZip(PARTS, { claimedEntries: 60_000 })), /60000 entries/);
    await expectInputError(open(buildZip(PARTS, { zip64: true, claimedEntries: 2 ** 50 })), /1125899906842624 entries/);
    const bytes = buildZip(PARTS);
    new DataView(bytes.buffer).setUint32(bytes.length - 6, 0x7fffffff, true);
    await expectInputError(open(bytes), /does not fit/);
    const parts = buildZip(PARTS);
    new DataView(parts.buffer).setUint16(parts.length - 18, 1, true);
    await expectInputError(open(parts), /several parts/);
  });

  test('a local header that is not one is refused', async () => {
    const bytes = buildZip([{ name: 'a', data: 'x' }]);
    bytes[0] = 0;
    await expectInputError((await open(bytes)).read('a'), /local header/);
  });

  test('every truncation is refused', async () => {
    for (const zip64 of [false, true]) {
      const bytes = buildZip(
        [
          { name: 'a', data: 'hello' },
          { name: 'b', data: 'x'.repeat(50), deflate: true },
        ],
        { zip64 },
      );
      for (let length = 0; length < bytes.length; length++) {
        await expectInputError(open(bytes.subarray(0, length)), /^x\.zip: /);
      }
    }
  });

  test('bytes before the archive are refused, not misread', async () => {
    const zip = open(concat('#!/bin/sh\n', buildZip(PARTS)));
    await expectInputError(
      zip.then((archive) => archive.read('a')),
      /^x\.zip: /,
    );
  });
});
