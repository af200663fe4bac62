import { deflateSync } from 'node:zlib';
import { encode as encodeWithFastPng } from 'fast-png';
import { zlibSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { type DecodedImage, decodeImage, IMAGE_FORMAT_NAMES } from '../../../src/clip/image/index.js';
import { InputError } from '../../../src/errors.js';
import { casesIn, fixture, randomIntegers } from './fixtures.js';
import './codecs.js';

const ascii = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** The image, or the InputError's message; anything else thrown fails the test, and so does taking long. */
async function outcome(bytes: Uint8Array): Promise<DecodedImage | string> {
  const started = performance.now();
  try {
    return await decodeImage(bytes, 'f');
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    const { message } = error as InputError;
    expect(message).toMatch(/^f: \S.*$/);
    return message;
  } finally {
    expect(performance.now() - started).toBeLessThan(5000);
  }
}

describe('format', () => {
  it.each([
    ['', 'an empty file'],
    ['II*\0\x08\0', 'a TIFF image'],
    ['\0\0\0\x20ftypavif', 'an AVIF image'],
    ['<!DOCTYPE html>', 'a text (SVG or HTML?)'],
    ['\0\0\0\0\0\0\0\0\0\0', '10 zero bytes'],
    ['hello', '5 bytes that start with 68 65 6c 6c 6f'],
    ['\x89PNG', '4 bytes that start with 89 50 4e 47'],
  ])('%j is refused by name', async (text, found) => {
    expect(await outcome(ascii(text))).toBe(`f: expected a ${IMAGE_FORMAT_NAMES} image, found ${found}`);
  });

  it('keeps the mode of the file', async () => {
    const modes = Object.fromEntries(
      await Promise.all(
        casesIn('small/').map(async ({ input }) => [input, (await decodeImage(fixture(input), input)).mode]),
      ),
    ) as Record<string, string>;
    expect(modes).toMatchObject({
      'small/png-type0-1bit.png': '1',
      'small/png-type0-16bit-interlaced.png': 'I',
      'small/png-type3-2bit.png': 'P',
      'small/png-type4-16bit.png': 'LA',
      'small/png-type2-8bit-interlaced.png': 'RGB',
      'small/png-type6-8bit.png': 'RGBA',
      'small/jpeg-grey.jpg': 'L',
      'small/jpeg-420.jpg': 'RGBX',
      'small/jpeg-440.jpg': 'RGB',
      'small/jpeg-adobe-ycck.jpg': 'CMYK',
    });
  });

  it('agrees with another PNG library on its own files', async () => {
    const random = randomIntegers(6);
    for (const channels of [1, 2, 3, 4]) {
      const data = Uint8Array.from({ length: 13 * 7 * channels }, () => random(256));
      const decoded = await decodeImage(encodeWithFastPng({ width: 13, height: 7, channels, depth: 8, data }), 'f');
      expect(decoded.data).toEqual(data);
    }
  });
});

describe('headers are checked before memory is taken', () => {
  const withBytes = (name: string, at: number, values: number[]) => {
    const bytes = fixture(name);
    bytes.set(values, at);
    return bytes;
  };
  /** A PNG of one chunk type after another; the checksum is that of the chunk. */
  const png = (...chunks: [type: string, data: Uint8Array][]) => {
    const parts = chunks.map(([type, data]) => {
      const part = new Uint8Array(12 + data.length);
      new DataView(part.buffer).setUint32(0, data.length);
      part.set(ascii(type), 4);
      part.set(data, 8);
      let crc = 0xffffffff;
      for (const byte of part.subarray(4, 8 + data.length)) {
        crc ^= byte;
        for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
      }
      new DataView(part.buffer).setUint32(8 + data.length, ~crc >>> 0);
      return [...part];
    });
    return Uint8Array.from([...ascii('\x89PNG\r\n\x1a\n'), ...parts.flat()]);
  };
  const header = (width: number, height: number, ...rest: number[]) => {
    const data = new Uint8Array(13);
    new DataView(data.buffer).setUint32(0, width);
    new DataView(data.buffer).setUint32(4, height);
    data.set(rest, 8);
    return data;
  };
  const RGB8 = [8, 2, 0, 0, 0];

  it('refuses JPEG images over the limit, of no size, or with too many scans', async () => {
    const bytes = fixture('j0_640x427_RGB.jpg');
    const frame = bytes.findIndex((byte, i) => byte === 0xff && bytes[i + 1] === 0xc0);
    expect(await outcome(withBytes('j0_640x427_RGB.jpg', frame + 5, [255, 255, 255, 255]))).toBe(
      'f: expected an image of 1 to 100000000 pixels, found 65535 x 65535',
    );
    expect(await outcome(withBytes('j0_640x427_RGB.jpg', frame + 5, [0, 0]))).toContain('found 640 x 0');
    const scan = [0xff, 0xda, 0, 2];
    const bomb = [
      0xff,
      0xd8,
      0xff,
      0xc2,
      0,
      11,
      8,
      0x20,
      0,
      0x20,
      0,
      1,
      1,
      0x11,
      0,
      ...Array(100).fill(scan).flat(),
      0xff,
      0xd9,
    ];
    expect(await outcome(Uint8Array.from(bomb))).toBe(
      'f: expected a JPEG image of few scans, found 100 of 8192 x 8192',
    );
  });

  it('refuses PNG images over the limit, of no size, or with fewer bytes than they need', async () => {
    const data = zlibSync(new Uint8Array(100));
    expect(await outcome(png(['IHDR', header(65_535, 65_535, ...RGB8)], ['IDAT', data]))).toContain(
      'found 65535 x 65535',
    );
    expect(await outcome(png(['IHDR', header(0xffffffff, 0xffffffff, ...RGB8)]))).toContain(
      'found 4294967295 x 4294967295',
    );
    expect(await outcome(png(['IHDR', header(0, 1, ...RGB8)]))).toContain('found 0 x 1');
    expect(await outcome(png(['IHDR', header(9000, 9000, ...RGB8)], ['IDAT', data]))).toBe(
      `f: PNG image is cut short after ${data.length} bytes of image data`,
    );
    expect(await outcome(png(['IHDR', header(10, 10, ...RGB8)], ['IDAT', data]))).toBe(
      'f: PNG image is cut short after 3 whole rows',
    );
  });

  it('refuses PNG headers that make no sense', async () => {
    const expectRefused = async (message: string, ...chunks: [string, Uint8Array][]) =>
      expect(await outcome(png(...chunks))).toContain(message);
    await expectRefused('no colour type 2 with 4 bits', ['IHDR', header(1, 1, 4, 2, 0, 0, 0)]);
    await expectRefused('no colour type 5 with 8 bits', ['IHDR', header(1, 1, 8, 5, 0, 0, 0)]);
    await expectRefused('interlace 0 or 1, found 0, 0, 2', ['IHDR', header(1, 1, 8, 2, 0, 0, 2)]);
    await expectRefused('IHDR of 13 bytes) first, found IDAT', ['IDAT', new Uint8Array(3)]);
    await expectRefused('IHDR of 13 bytes) first, found nothing');
    await expectRefused('palette indices but no palette', ['IHDR', header(1, 1, 8, 3, 0, 0, 0)]);
    await expectRefused(
      'palette of 1 to 256 colours, found 4 bytes',
      ['IHDR', header(1, 1, 8, 3, 0, 0, 0)],
      ['PLTE', new Uint8Array(4)],
    );
    await expectRefused('row filter 9', ['IHDR', header(1, 1, ...RGB8)], ['IDAT', zlibSync(Uint8Array.of(9, 1, 2, 3))]);
  });

  it('reads no further than the last row of a PNG bomb', async () => {
    const bomb = png(['IHDR', header(2, 2, ...RGB8)], ['IDAT', deflateSync(new Uint8Array(50 << 20))]);
    const started = performance.now();
    expect(await outcome(bomb)).toMatchObject({ width: 2, height: 2, mode: 'RGB', data: new Uint8Array(12) });
    expect(performance.now() - started).toBeLessThan(3000);
  });

  it('makes palette entries that the file lacks greys, as Pillow does', async () => {
    const file = png(
      ['IHDR', header(2, 1, 8, 3, 0, 0, 0)],
      ['PLTE', Uint8Array.of(7, 8, 9)],
      ['IDAT', zlibSync(Uint8Array.of(0, 0, 255))],
    );
    const image = (await outcome(file)) as DecodedImage;
    expect([...image.data]).toEqual([0, 255]);
    expect([...(image.palette?.subarray(0, 6) ?? [])]).toEqual([7, 8, 9, 1, 1, 1]);
  });
});

describe('damaged files', () => {
  const files = casesIn('small/').map(({ input }) => input);

  it('refuses every file that is cut, unless all its pixels are there', async () => {
    for (const name of files) {
      const bytes = fixture(name);
      const whole = (await outcome(bytes)) as DecodedImage;
      const cutAt = (part: number) => outcome(bytes.subarray(0, Math.floor(bytes.length * part)));
      expect(await cutAt(0.1), name).toContain('f: ');
      // Half of an animation may hold its first frame, which is what is read.
      if (name.includes('animated')) expect([whole, expect.stringContaining('f: ')]).toContainEqual(await cutAt(0.5));
      else expect(await cutAt(0.5), name).toContain('f: ');
      // The last tenth of a tiny PNG can be nothing but checksums and the end marker.
      const last = await cutAt(0.9);
      if (typeof last !== 'string') expect(last).toEqual(whole);
      // All but the end marker, without which nobody knows whether further passes of a progressive image are missing.
      const cut = await outcome(bytes.subarray(0, name.endsWith('.png') ? bytes.length - 12 : bytes.length - 2));
      if (name.includes('progressive')) expect(cut, name).toContain('JPEG image is cut short');
      else if (/^small.(?!.*(arithmetic|zeroed)).*(jpg|png)$/.test(name)) expect(cut, name).toEqual(whole);
    }
  });

  it.each(['.png', '.jpg'])('decodes 400 mutated %s files or says what is wrong', async (ending) => {
    const random = randomIntegers(7);
    const originals = files.filter((name) => name.endsWith(ending)).map(fixture);
    let refused = 0;
    for (let round = 0; round < 400; round++) {
      const bytes = originals[random(originals.length)]!.slice();
      for (let i = random(5); i >= 0; i--) {
        // Headers decide most, so half of the changes fall on the first 100 bytes.
        bytes[random(i % 2 ? bytes.length : Math.min(100, bytes.length))] = random(2) ? random(256) : 255;
      }
      if (typeof (await outcome(bytes)) === 'string') refused++;
    }
    expect(refused).toBeGreaterThan(50);
  });

  it('reads a JPEG whose end marker is missing or overwritten, if its data are all there', async () => {
    for (const name of ['small/jpeg-420.jpg', 'small/jpeg-grey.jpg', 'small/jpeg-cmyk.jpg', 'small/jpeg-440.jpg']) {
      const bytes = fixture(name);
      const whole = (await outcome(bytes)) as DecodedImage;
      const without = bytes.subarray(0, -2);
      for (const ending of [[], [0, 0], Array<number>(40).fill(0), [0xff]]) {
        expect(await outcome(Uint8Array.from([...without, ...ending])), `${name} ${ending.length}`).toEqual(whole);
      }
      expect(await outcome(bytes.subarray(0, -100)), name).toMatch(
        /^f: JPEG image (is cut short|cannot be decoded \(its data are cut short)/,
      );
    }
  });

  it('treats the checksums of a PNG as Pillow does', async () => {
    const bytes = fixture('small/png-type2-8bit.png');
    const whole = await outcome(bytes);
    const view = new DataView(bytes.buffer);
    const chunks = new Map<string, { start: number; end: number }>();
    for (let at = 8; at < bytes.length; at += 12 + view.getUint32(at)) {
      const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
      chunks.set(type, { start: at, end: at + 8 + view.getUint32(at) });
    }
    const changed = (at: number) => outcome(bytes.with(at, bytes[at]! ^ 1));
    // Of a chunk of the image data: not looked at. Of those before, even of a comment: wrong.
    expect(await changed(chunks.get('IDAT')!.end)).toEqual(whole);
    for (const type of ['IHDR', 'tEXt']) {
      expect(await changed(chunks.get(type)!.end)).toBe(
        `f: damaged PNG image (wrong checksum of "${type}" at byte ${chunks.get(type)!.start})`,
      );
    }
    // Of the inflated data: must be right if it is there, right after the data.
    const { start, end } = chunks.get('IDAT')!;
    expect(await changed(end - 1)).toBe('f: damaged PNG image data (wrong checksum)');
    expect(await changed(end - 4)).toBe('f: damaged PNG image data (wrong checksum)');
    const ending = (cut: number, more: number[]) => {
      const file = Uint8Array.from([...bytes.subarray(0, end - cut), ...more, ...bytes.subarray(end)]);
      new DataView(file.buffer).setUint32(start, end - start - 8 - cut + more.length);
      return outcome(file);
    };
    expect(await ending(4, [])).toEqual(whole);
    expect(await ending(0, [1, 2, 3, 4, 5])).toEqual(whole);
  });

  it('decodes a good file after a bad one', async () => {
    const good = fixture('small/jpeg-420.jpg');
    const first = await outcome(good);
    const bad = good.slice();
    const tables = bad.findIndex((byte, i) => byte === 0xff && bad[i + 1] === 0xc4);
    bad.fill(255, tables + 5, tables + 21);
    expect(await outcome(bad)).toBe('f: JPEG image cannot be decoded ("Bogus Huffman table definition")');
    expect(await outcome(good)).toEqual(first);
  });
});
