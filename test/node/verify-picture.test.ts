/** The picture whose probabilities are published, with a picture and probabilities of our own for the golden model. */
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeImage, encodePng, normalizePixels, preprocess } from '../../src/clip/image/index.js';
import { TextTower, TokenEmbeddings, VisionTower } from '../../src/clip/towers/index.js';
import type { ReferenceNumbers } from '../../src/clip/verify/index.js';
import { CpuBackend } from '../../src/kernels/index.js';
import { openModelDirectory } from '../../src/node/model-directory.js';
import { verifyModel } from '../../src/node/verify-model.js';
import { Engine } from '../../src/tensor/index.js';
import { makeModel } from '../cli/tuning/support.js';
import { tinyClip } from '../support/tiny-clip.js';
import { scratchFolder } from './scratch.js';

const scratch = scratchFolder();
const backend = new CpuBackend();
const engine = new Engine(backend);
afterAll(() => {
  expect(backend.memory.buffers).toBe(0);
  backend.dispose();
});

/** Numbers that do not matter here, of the right form. */
const ANY = { firstRow: 0, firstColumn: 0, values: [[0]] };
const NUMBERS: ReferenceNumbers = {
  model: 'the golden model',
  source: 'nowhere',
  image: { pixels: 0.5, pooled: ANY },
  text: { ids: [998, 5, 999], pooled: ANY },
};

const texts = ['a diagram', 'a dog', 'a cat'];
let folder: string;
let path: string;
let probabilities: number[];

const picture = (color: readonly number[]) =>
  encodePng(
    Uint8Array.from({ length: 40 * 30 * 3 }, (_, i) => color[i % 3]! + (i % 41)),
    40,
    30,
  );

beforeAll(async () => {
  folder = scratch('model');
  await makeModel(folder);
  path = scratch('picture.png');
  await writeFile(path, picture([30, 90, 150]));
  probabilities = await computed(await readFile(path));
  // Of no use as an expectation if nothing could be told apart.
  expect(Math.max(...probabilities)).toBeLessThan(0.99);
});

/** Cosines and softmax in float64 from the towers' features, which other tests hold against PyTorch. */
async function computed(file: Uint8Array): Promise<number[]> {
  const { clip, config } = await tinyClip('clip-tiny');
  await using directory = await openModelDirectory(folder);
  const tokenizer = await directory.tokenizer();
  using vision = await VisionTower.load(engine, clip, config);
  const { imageSize } = config.vision;
  const rgb = preprocess(await decodeImage(file, path), imageSize);
  const encoded = engine.scope(() =>
    vision.encode(engine.tensor(normalizePixels(rgb, imageSize), [1, 3, imageSize, imageSize])),
  );
  const image = await encoded.features.read();
  encoded.features.dispose();
  encoded.pooled.dispose();
  using tower = await TextTower.load(engine, clip, config);
  const ids = texts.map((text) => tokenizer.encodeText(text, config.text.context));
  using features = await tower.encodeTokens(ids, new TokenEmbeddings(clip));
  const rows = await features.read();
  const width = config.projectionDim;
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  const powers = texts.map((_, i) => {
    const row = rows.subarray(i * width, (i + 1) * width);
    return Math.exp((tower.logitScale * dot(image, row)) / Math.sqrt(dot(image, image) * dot(row, row)));
  });
  return powers.map((power) => power / powers.reduce((a, b) => a + b));
}

/** The last check, which is the picture's. */
async function checked(expected: readonly number[], image: string | undefined = path) {
  const { config } = await tinyClip('clip-tiny');
  const known = { numbers: NUMBERS, config, hashes: [], picture: { texts, probabilities: expected } };
  const checks = await verifyModel(folder, { engine: async () => engine, known, expectKnown: true, image });
  return checks.at(-1)!;
}

test('has the published probabilities', async () => {
  const { name, outcome, detail } = await checked(probabilities);
  expect([name, outcome], detail).toEqual(['picture', 'passed']);
  expect(detail).toMatch(
    /^"a diagram" 0\.\d{5}, "a dog" 0\.\d{5}, "a cat" 0\.\d{5}; published for CLIP\.png: 0\.\d{5}, /,
  );
});

test('has others, or is another picture, or is not there', async () => {
  const [first, second, third] = probabilities as [number, number, number];
  expect(await checked([first + 0.004, second - 0.004, third])).toMatchObject({ outcome: 'failed' });
  const other = scratch('other.png');
  await writeFile(other, picture([200, 10, 10]));
  expect(await checked(probabilities, other)).toMatchObject({ outcome: 'failed' });
  await expect(checked(probabilities, scratch('none.png'))).rejects.toThrow(/none\.png: /);
});
