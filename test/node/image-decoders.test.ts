/** Decoding on threads gives what decoding here gives, whatever comes back first, and says the same about bad files. */
import { readdir, readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { expect, it, vi } from 'vitest';
import { clipPreprocessing, decodeImage, encodePng } from '../../src/clip/image/index.js';
import { decodingBytes } from '../../src/clip/image/size.js';
import { InputError } from '../../src/errors.js';
import { LARGE_BYTES } from '../../src/node/decode-budget.js';
import { ImageDecoders } from '../../src/node/image-decoders.js';
import { pixelsFor } from '../../src/node/image-files.js';

const FOLDER = new URL('../fixtures/preprocess/', import.meta.url).pathname;
const HOW = clipPreprocessing(32);

async function images(): Promise<{ path: string; bytes: Uint8Array<ArrayBuffer> }[]> {
  const names = (await readdir(FOLDER)).filter((name) => /\.(?:png|jpg)$/.test(name) && !name.includes('expected'));
  return Promise.all(
    names.map(async (name) => ({ path: FOLDER + name, bytes: new Uint8Array(await readFile(FOLDER + name)) })),
  );
}

it('gives the pixels that this thread would give, for every file, on two threads at once', async () => {
  const files = await images();
  expect(files.length).toBeGreaterThan(5);
  const expected = await Promise.all(files.map(({ path, bytes }) => pixelsFor(HOW, bytes, path)));
  using decoders = new ImageDecoders(2);
  const decoded = await Promise.all(files.map(({ path, bytes }) => decoders.decode(bytes, path, HOW)));
  expect(decoders.threads).toBe(2);
  expect(decoded).toEqual(expected);
  // Taken over, not copied.
  expect(files[0]!.bytes.length).toBe(0);
});

it('names the file that cannot be decoded, and goes on', async () => {
  const [file] = await images();
  using decoders = new ImageDecoders(1);
  const outcomes = await Promise.allSettled([
    decoders.decode(Uint8Array.of(1, 2, 3), 'noise.jpg', HOW),
    decoders.decode(file!.bytes.slice(0, 300), 'cut.png', HOW),
    decoders.decode(file!.bytes, file!.path, HOW),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
  const [noise, cut] = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason : undefined));
  expect(noise).toBeInstanceOf(InputError);
  expect((noise as InputError).message).toMatch(/^noise\.jpg: expected a JPEG.* image/);
  expect((cut as InputError).message).toMatch(/^cut\.png: /);
});

it('takes up threads again that were idle in the end, and not one that was busy', async () => {
  const [file] = await images();
  const decode = (decoders: ImageDecoders) => decoders.decode(file!.bytes.slice(), file!.path, HOW);
  const posts = vi.spyOn(Worker.prototype, 'postMessage');
  try {
    for (let round = 0; round < 2; round++) {
      using decoders = new ImageDecoders(1);
      await decode(decoders);
    }
    const busy = new ImageDecoders(1);
    void decode(busy);
    busy[Symbol.dispose]();
    using after = new ImageDecoders(1);
    expect(await decode(after)).toEqual(await pixelsFor(HOW, file!.bytes, file!.path));
    const [first, second, third, fourth] = posts.mock.contexts;
    expect(second).toBe(first);
    expect(third).toBe(first);
    expect(fourth).not.toBe(first);
  } finally {
    posts.mockRestore();
  }
});

it('decodes on this thread where none is wanted', async () => {
  const [file] = await images();
  using decoders = new ImageDecoders(0);
  const expected = await pixelsFor(HOW, file!.bytes, file!.path);
  expect(await decoders.decode(file!.bytes, file!.path, HOW)).toEqual(expected);
  expect(decoders.threads).toBe(0);
});

it('holds no more than its bytes, however many threads there are; a larger image comes alone', async () => {
  const square = (side: number) => encodePng(new Uint8Array(side * side * 3).fill(99), side, side);
  const small = decodingBytes(square(500));
  expect(small).toBeGreaterThan(4 * 500 * 500);
  using decoders = new ImageDecoders(4, 2.5 * small);
  const sides = [...Array.from({ length: 12 }, () => 500), 1200, 500, 500];
  const decoded = await Promise.all(sides.map((side) => decoders.decode(square(side), `${side}.png`, HOW)));
  expect(decoded).toHaveLength(sides.length);
  // The larger one has been alone: otherwise it would be beside another.
  expect(decoders.peakBytes).toBeLessThan(decodingBytes(square(1200)) + 2 ** 17);
  expect(decoders.peakBytes).toBeGreaterThanOrEqual(decodingBytes(square(1200)));
  using few = new ImageDecoders(4, 2.5 * small);
  await Promise.all(sides.filter((side) => side === 500).map((side) => few.decode(square(side), 'small.png', HOW)));
  expect(few.peakBytes).toBeLessThanOrEqual(2.5 * small);
});

it('decodes a large image on a thread of its own, even where no threads are wanted, and says the same about a broken one', async () => {
  const side = 4300;
  const rgb = new Uint8Array(side * side * 3);
  for (let at = 0; at < rgb.length; at += 97) rgb[at] = at % 251;
  const bytes = encodePng(rgb, side, side);
  expect(decodingBytes(bytes)).toBeGreaterThan(LARGE_BYTES);
  using decoders = new ImageDecoders(0);
  const cut = decoders.decode(bytes.slice(0, bytes.length / 2), 'cut.png', HOW);
  await expect(cut).rejects.toThrow(InputError);
  await expect(cut).rejects.toThrow(/^cut\.png: /);
  const expected = await pixelsFor(HOW, bytes, 'large.png');
  expect(await decoders.decode(bytes, 'large.png', HOW)).toEqual(expected);
  expect(decoders.threads).toBe(1);
  expect(decoders.peakBytes).toBeGreaterThanOrEqual(LARGE_BYTES);
});

it('tells the pixels of every kind of file from its first bytes', async () => {
  const small = (await readdir(`${FOLDER}small`)).filter((name) => /\.(?:webp|gif|bmp)$/.test(name));
  expect(small.length).toBeGreaterThan(5);
  const others = small.map(async (name) => ({ path: name, bytes: await readFile(`${FOLDER}small/${name}`) }));
  for (const { path, bytes } of [...(await images()), ...(await Promise.all(others))]) {
    const { width, height } = await decodeImage(bytes, path);
    expect([15, 21], path).toContain(decodingBytes(bytes) / (width * height));
  }
});
