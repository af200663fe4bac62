/** NumPy's files: those that it writes itself of the same arrays, byte for byte. */
import { readFile } from 'node:fs/promises';
import { unzipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { type NpyArray, numberArray, textArray, writeNpy, writeNpz } from '../../../src/clip/checkpoint/index.js';
import { expectInputError } from './support.js';

const ARRAYS: Readonly<Record<string, NpyArray>> = {
  numbers: numberArray(
    Float32Array.from({ length: 6 }, (_, i) => i / 4),
    [2, 3],
  ),
  whole: numberArray(Int32Array.of(-2, -1, 0, 1, 2), [5]),
  texts: textArray(['a', 'émoi', '😀 x', '']),
  one: textArray('one'),
  none: numberArray(new Float32Array(0), [0, 4]),
};

/** What a writer passes to its sink, which takes its time. */
async function written(write: (sink: (chunk: Uint8Array) => Promise<void>) => Promise<void>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  await write(async (chunk) => {
    await Promise.resolve();
    chunks.push(chunk.slice());
  });
  return Buffer.concat(chunks);
}

const byNumPy = async () => unzipSync(await readFile(new URL('../../fixtures/checkpoint/arrays.npz', import.meta.url)));

describe('.npy', () => {
  test.each(Object.keys(ARRAYS))('%s is what NumPy writes', async (name) => {
    const ours = await written((sink) => writeNpy(ARRAYS[name]!, sink));
    expect(ours.equals((await byNumPy())[`${name}.npy`]!)).toBe(true);
  });

  test('of many axes still begins its data at a multiple of 64', async () => {
    const shape = Array.from({ length: 30 }, () => 1);
    const ours = await written((sink) => writeNpy(numberArray(Float32Array.of(1.5), shape), sink));
    expect([ours.length % 64, ours.readFloatLE(ours.length - 4)]).toEqual([4, 1.5]);
    expect(ours.subarray(10, -4).toString()).toMatch(/'shape': \(1(, 1){29}\), \} *\n$/);
    expect(ours.readUInt16LE(8)).toBe(ours.length - 14);
  });

  test('with other than its bytes is a defect', async () => {
    const short = { ...numberArray(new Float32Array(2), [3]) };
    await expect(written((sink) => writeNpy(short, sink))).rejects.toThrow('an array <f4 [3] was given 8 bytes');
  });
});

describe('.npz', () => {
  test('has the arrays by name, as NumPy writes them', async () => {
    const ours = await written((sink) => writeNpz(ARRAYS, sink));
    expect(unzipSync(ours)).toEqual(await byNumPy());
    expect((await written((sink) => writeNpz(ARRAYS, sink))).equals(ours)).toBe(true);
  });

  test('of more than a ZIP archive holds is refused before anything is written', async () => {
    const huge: NpyArray = { ...ARRAYS.none!, shape: [2 ** 21, 512] };
    let chunks = 0;
    const write = writeNpz({ huge }, () => {
      chunks++;
    });
    await expectInputError(write, /\.npz: 4294967296 bytes are more than a ZIP archive holds; use \.npy/);
    expect(chunks).toBe(0);
  });
});
