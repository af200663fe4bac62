/** The bounds on what an image file can make us allocate or do. */
import { deflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { pngHeader, pngOf } from '../../../fuzz/parsers/png.js';
import { decodeImage, preprocess } from '../../../src/clip/image/index.js';
import { readJpegHeader } from '../../../src/clip/image/jpeg/header.js';
import { InputError } from '../../../src/errors.js';
import { fixture } from './fixtures.js';
import './codecs.js';

const END = { type: 'IEND', data: new Uint8Array(0) };
const idat = (rows: Uint8Array) => ({ type: 'IDAT', data: new Uint8Array(deflateSync(rows)) });

async function refusal(bytes: Uint8Array): Promise<string> {
  const error = await decodeImage(bytes, 'f').then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(InputError);
  return (error as InputError).message;
}

/** A JPEG fixture with another size in its frame header. */
function resized(name: string, width: number, height: number): Uint8Array {
  const bytes = fixture(`small/${name}`);
  const frame = bytes.findIndex((byte, i) => byte === 0xff && [0xc0, 0xc2, 0xc9, 0xca].includes(bytes[i + 1]!));
  bytes.set([height >> 8, height & 255, width >> 8, width & 255], frame + 5);
  return bytes;
}

test('a JPEG file of fewer bits than blocks is cut short, whatever its coding', async () => {
  for (const name of ['jpeg-420.jpg', 'jpeg-grey.jpg', 'jpeg-444-progressive.jpg', 'jpeg-cmyk.jpg']) {
    const bytes = resized(name, 5000, 5000);
    expect(await refusal(bytes), name).toBe(
      `f: JPEG image is cut short (${bytes.length} bytes for 5000 x 5000 pixels)`,
    );
  }
  // 4:2:0 has 6 blocks for 16 x 16 pixels: at 8 blocks per byte, these 1068 bytes may claim 608 x 592 and no more.
  expect(await decodeImage(resized('jpeg-420.jpg', 608, 592), 'f')).toMatchObject({ width: 608, height: 592 });
  expect(await refusal(resized('jpeg-420.jpg', 608, 608))).toContain('cut short');
});

test('scans of arithmetic coding, which takes long for each block, are bounded together', async () => {
  // Ten scans of 4:2:2, 4 blocks for 16 x 8 pixels: 2^19 blocks and 8 per byte are 1312 x 1312 pixels.
  const name = 'jpeg-arithmetic-progressive.jpg';
  expect(readJpegHeader(fixture(`small/${name}`), name).scans).toBe(10);
  expect(await decodeImage(resized(name, 320, 320), 'f')).toMatchObject({ width: 320 });
  expect(await refusal(resized(name, 1600, 1600))).toContain('cut short');
});

test('of a JPEG image whose first scan is all of it, nothing else is decoded', async () => {
  const file = fixture('small/jpeg-arithmetic.jpg');
  const whole = await decodeImage(file, 'f');
  const scan = file.lastIndexOf(0xda) - 1;
  const doubled = new Uint8Array([...file.subarray(0, -2), ...file.subarray(scan, scan + 3), 1, 2, 3, 0xff, 0xd9]);
  expect(await decodeImage(doubled, 'f')).toEqual(whole);
});

test('JPEG sampling factors are checked', async () => {
  const bytes = fixture('small/jpeg-420.jpg');
  const frame = bytes.findIndex((byte, i) => byte === 0xff && bytes[i + 1] === 0xc0);
  bytes[frame + 11] = 0x05;
  expect(await refusal(bytes)).toBe('f: expected JPEG sampling factors from 1 to 4, found 0,1,1 and 5,1,1');
  bytes[frame + 9] = 200;
  expect(await refusal(bytes)).toMatch(/expected a JPEG frame header of 606 bytes, found 15/);
});

test('a strip too narrow to be resized is refused, not resized for minutes', async () => {
  const strip = (height: number) => pngOf([pngHeader(1, height, 1, 0), idat(new Uint8Array(2 * height)), END]);
  const long = await decodeImage(strip(80_000), 'f');
  expect(() => preprocess(long, 224, 'strip.png')).toThrow(
    'strip.png: 1 x 80000 pixels are too narrow a strip, resized it would have 224 x 17920000',
  );
  expect(preprocess(await decodeImage(strip(4000), 'f'), 224)).toHaveLength(224 * 224 * 3);
});

test('image data in chunks of one byte is read like any other', async () => {
  const rows = Uint8Array.from({ length: 300 * 301 }, (_, i) =>
    i % 301 === 0 ? 0 : (Math.imul(i, 2654435761) ^ Math.imul(i * i, 40503)) >>> 13,
  );
  const header = pngHeader(300, 300, 8, 0);
  const whole = idat(rows);
  const pieces = Array.from(whole.data, (byte) => ({ type: 'IDAT', data: Uint8Array.of(byte) }));
  expect(pieces.length).toBeGreaterThan(10_000);
  expect(await decodeImage(pngOf([header, ...pieces, END]), 'f')).toEqual(
    await decodeImage(pngOf([header, whole, END]), 'f'),
  );
});
