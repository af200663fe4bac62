/** Files that are cut short, read as Pillow reads them under LOAD_TRUNCATED_IMAGES; see test/reference/truncated_reference.py. */
import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { pngHeader, pngOf } from '../../../fuzz/parsers/png.js';
import { decodeImage } from '../../../src/clip/image/index.js';
import { inflateCut } from '../../../src/clip/image/inflate-cut.js';
import { toRgb } from '../../../src/clip/image/to-rgb.js';
import { expectInputError } from '../checkpoint/support.js';
import { fixture, randomIntegers } from './fixtures.js';
import './codecs.js';

const cases = Object.entries(
  JSON.parse(new TextDecoder().decode(fixture('truncated.json'))) as Record<string, Record<string, string>>,
);
const read = (name: string, bytes: number) => decodeImage(fixture(`small/${name}`).slice(0, bytes), name, 'read');

describe('files that are cut short', () => {
  it.each(cases)('%s: pixels equal to Pillow, and marked where it is refused otherwise', async (name, hashes) => {
    for (const [bytes, expected] of Object.entries(hashes)) {
      const image = await read(name, Number(bytes));
      const hash = createHash('sha256').update(toRgb(image)).digest('hex').slice(0, 16);
      expect(`${bytes}: ${hash}`).toBe(`${bytes}: ${expected}`);
      const whole = await decodeImage(fixture(`small/${name}`).slice(0, Number(bytes)), name).catch(() => undefined);
      expect(image.truncated ?? false).toBe(whole === undefined);
      if (whole) expect(toRgb(image)).toEqual(toRgb(whole));
    }
  });

  it('of every kind are among the cases', () => {
    const lengths = cases.map(([name, hashes]) => [name.split('-')[0]!, Object.keys(hashes).length] as const);
    for (const kind of ['jpeg', 'png', 'gif', 'bmp']) {
      const of = lengths.filter(([one]) => one === kind).map(([, count]) => count);
      expect(Math.max(...of)).toBeGreaterThan(8);
    }
  });

  it('are refused unless they are to be read', async () => {
    for (const name of [
      'jpeg-420.jpg',
      'jpeg-420-progressive.jpg',
      'png-type2-8bit.png',
      'gif-palette.gif',
      'bmp-rgb.bmp',
    ]) {
      const file = fixture(`small/${name}`);
      const cut = file.slice(0, Math.floor(file.length * 0.8));
      await expectInputError(decodeImage(cut, name), /cut short/);
      expect(await decodeImage(cut, name, 'read')).toMatchObject({ truncated: true });
      expect(await decodeImage(file, name, 'read')).not.toHaveProperty('truncated');
    }
  });

  it('have grey where JPEG data are missing, and black where a progressive file ends inside a segment', async () => {
    const file = fixture('small/jpeg-grey.jpg');
    const { data } = await read('jpeg-grey.jpg', Math.floor(file.length * 0.7));
    expect(data.at(-1)).toBe(128);
    const progressive = fixture('small/jpeg-grey-progressive.jpg');
    const table = progressive.lastIndexOf(0xc4);
    const black = await read('jpeg-grey-progressive.jpg', table + 4);
    expect(black.data.every((sample) => sample === 0)).toBe(true);
  });

  it('are refused where there is nothing to read, where Pillow refuses them too, and with arithmetic coding', async () => {
    const half = async (name: string) =>
      expectInputError(read(name, fixture(`small/${name}`).length >> 1), new RegExp(name));
    for (const name of [
      'webp-lossy.webp',
      'webp-lossless.webp',
      'bmp-rle8.bmp',
      'jpeg-arithmetic.jpg',
      'jpeg-arithmetic-progressive.jpg',
    ])
      await half(name);
    for (const name of ['jpeg-420.jpg', 'png-type2-8bit.png', 'png-type3-4bit.png', 'gif-palette.gif', 'bmp-rgb.bmp'])
      for (const bytes of [3, 12, 25]) await expectInputError(read(name, bytes), new RegExp(name));
  });

  it('may not claim much more than 4 megapixels that their data do not have', async () => {
    const jpeg = fixture('small/jpeg-grey.jpg').slice(0, 600);
    const frame = jpeg.findIndex((byte, i) => byte === 0xff && jpeg[i + 1] === 0xc0);
    new DataView(jpeg.buffer).setUint32(frame + 5, 0x1f40_1f40);
    await expectInputError(
      decodeImage(jpeg, 'a.jpg', 'read'),
      /a\.jpg: JPEG image is cut short \(600 bytes for 8000 x 8000/,
    );
    const png = pngOf([pngHeader(5000, 5000, 8, 2), { type: 'IDAT', data: deflateSync(new Uint8Array(1000)) }]);
    await expectInputError(decodeImage(png, 'a.png', 'read'), /a\.png: PNG image is cut short/);
  });
});

describe('zlib data that are cut short', () => {
  const inflated = (data: Uint8Array) => {
    const pieces: number[] = [];
    inflateCut(data, (piece) => {
      for (const byte of piece) pieces.push(byte);
      return true;
    });
    return Uint8Array.from(pieces);
  };

  it.each([0, 1, 6, 9])('level %i: all of them is all, a part is a beginning, and more of it is longer', (level) => {
    const random = randomIntegers(level + 1);
    const bytes = Uint8Array.from({ length: 90_000 }, (_, i) => (i % 3 === 0 ? random(256) : random(4)));
    const data = deflateSync(bytes, { level, strategy: level === 1 ? 4 : 0 });
    expect(Buffer.from(inflated(data)).equals(bytes)).toBe(true);
    let before = 0;
    for (const share of [0, 0.001, 0.2, 0.5, 0.9, 1]) {
      const some = inflated(data.subarray(0, Math.floor(data.length * share)));
      expect(Buffer.from(some).equals(bytes.subarray(0, some.length))).toBe(true);
      expect(some.length).toBeGreaterThanOrEqual(before);
      before = some.length;
    }
    if (level === 0) expect(inflated(data.subarray(0, 1000)).length).toBe(1000 - 7);
  });

  it('are refused where they are damaged', () => {
    expect(() => inflated(Uint8Array.of(0x78, 0x9c, 0x07))).toThrow(/block type/);
    expect(() => inflated(Uint8Array.of(0x78, 0x9c, 0x01, 5, 0, 0, 0))).toThrow(/stored block/);
  });
});
