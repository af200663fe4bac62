/** Checks of sound and of damaged models, and reference numbers with a table for the golden model. */
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeSafetensors } from '../../src/clip/checkpoint/index.js';
import { TextTower, TokenEmbeddings, VisionTower } from '../../src/clip/towers/index.js';
import { type Check, OPENAI_VIT_B32, type ReferenceNumbers } from '../../src/clip/verify/index.js';
import { CpuBackend } from '../../src/kernels/index.js';
import { type KnownCheckpoint, type VerifyOptions, verifyModel } from '../../src/node/verify-model.js';
import { Engine } from '../../src/tensor/index.js';
import { tinyVocabulary } from '../cli/tiny-vocabulary.js';
import { fixture, maxError, tensorsOf, tinyClip } from '../support/tiny-clip.js';
import { scratchFolder } from './scratch.js';

const scratch = scratchFolder();
let backend: CpuBackend;
let engine: Engine;
let known: KnownCheckpoint;
const IDS = [998, 5, 6, 7, 999];
let folders = 0;

beforeAll(async () => {
  backend = new CpuBackend();
  engine = new Engine(backend);
  known = { numbers: await tinyNumbers(), config: (await tinyClip('clip-tiny')).config, hashes: [] };
});
afterAll(() => {
  expect(backend.memory.buffers).toBe(0);
  backend.dispose();
});

/** The image's from PyTorch; the text's from a tower that the first test holds against PyTorch. */
async function tinyNumbers(): Promise<ReferenceNumbers> {
  const expected = await tensorsOf('clip-tiny/expected.safetensors');
  const { clip, config } = await tinyClip('clip-tiny');
  using tower = await TextTower.load(engine, clip, config);
  const rows = [IDS.slice(0, 2), IDS.slice(0, 3), IDS];
  using hidden = await tower.lastHidden(rows, new TokenEmbeddings(clip));
  const data = await hidden.read();
  const row = (at: number) => [...data.subarray(at * 64 + 1, at * 64 + 4)];
  return {
    model: 'the golden model',
    source: 'test/reference',
    image: {
      pixels: (await expected('pixel_values')).data.slice(0, 3 * 32 * 32),
      pooled: {
        firstRow: 0,
        firstColumn: 1,
        values: [[...(await expected('image_pooled')).data.subarray(1, 4)]],
      },
    },
    text: {
      ids: IDS,
      hidden: { firstRow: 1, firstColumn: 1, values: [row(0), row(1)] },
      pooled: { firstRow: 4, firstColumn: 1, values: [row(2)] },
    },
  };
}

/** A model directory like the golden one, with changes. */
async function model(
  { from = 'clip-tiny' as 'clip-tiny' | 'clip-tiny-gelu', vocabulary = tinyVocabulary, half = false } = {},
  change: (name: string, values: Float32Array) => void = () => {},
): Promise<string> {
  const folder = scratch(`model-${folders++}`);
  await mkdir(folder);
  const { clip } = await tinyClip(from);
  const chunks: Uint8Array[] = [];
  const entries = clip.names().map((name) => ({
    name,
    dtype: half ? ('F16' as const) : ('F32' as const),
    shape: clip.shape(name),
    read: async () => {
      if (half) return new Uint8Array((await halvesOf(clip, name)).buffer);
      const values = await clip.read(name);
      change(name, values);
      return new Uint8Array(values.buffer);
    },
  }));
  await writeSafetensors(entries, new Map(), (chunk) => void chunks.push(chunk.slice()));
  await writeFile(join(folder, 'model.safetensors'), Buffer.concat(chunks));
  await copyFile(fixture(`${from}/config.json`), join(folder, 'config.json'));
  await writeFile(join(folder, 'merges.txt'), vocabulary);
  return folder;
}

async function halvesOf(clip: Awaited<ReturnType<typeof tinyClip>>['clip'], name: string): Promise<Uint16Array> {
  const { halvesFromFloat32 } = await import('../../src/kernels/index.js');
  return halvesFromFloat32(await clip.read(name));
}

const verify = (folder: string, options: Partial<VerifyOptions> = {}) =>
  verifyModel(folder, { engine: async () => engine, ...options });

const outcomes = (checks: readonly Check[]) => Object.fromEntries(checks.map(({ name, outcome }) => [name, outcome]));
const detail = (checks: readonly Check[], name: string) => checks.find((check) => check.name === name)?.detail;

const SOUND = {
  shapes: 'passed',
  preprocessing: 'not run',
  'finite weights': 'passed',
  'filled weights': 'passed',
  'logit scale': 'passed',
  vocabulary: 'passed',
  'finite features': 'passed',
};

describe('last hidden states', () => {
  test('of texts lead to the features that PyTorch has', async () => {
    const { clip, config } = await tinyClip('clip-tiny');
    const expected = await tensorsOf('clip-tiny/expected.safetensors');
    const padded = [...(await expected('token_ids')).data.subarray(0, 77)];
    const ids = padded.slice(0, padded.indexOf(999) + 1);
    using tower = await TextTower.load(engine, clip, config);
    using hidden = await tower.lastHidden([ids], new TokenEmbeddings(clip));
    const projected = project(await hidden.read(), await clip.read('text_projection.weight'));
    expect(maxError(projected, (await expected('text_features')).data.subarray(0, 64))).toBeLessThan(1e-4);
  });

  test('of a picture: row 0 is what is pooled, and other rows are theirs', async () => {
    const { clip, config } = await tinyClip('clip-tiny');
    const expected = await tensorsOf('clip-tiny/expected.safetensors');
    using tower = await VisionTower.load(engine, clip, config);
    const pixels = (await expected('pixel_values')).data.slice(0, 3 * 32 * 32);
    const read = async (rows: number[]) => {
      using hidden = engine.scope(() => tower.lastHidden(engine.tensor(pixels, [1, 3, 32, 32]), rows));
      return await hidden.read();
    };
    const [cls, both] = [await read([0]), await read([3, 0])];
    expect(maxError(both.subarray(128), cls)).toBeLessThan(1e-6);
    expect(maxError(both.subarray(0, 128), cls)).toBeGreaterThan(1e-2);
    const weight = await clip.read('vision_model.post_layernorm.weight');
    const bias = await clip.read('vision_model.post_layernorm.bias');
    const mean = cls.reduce((a, b) => a + b) / 128;
    const rstd = 1 / Math.sqrt(cls.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 128 + 1e-5);
    const pooled = cls.map((value, i) => (value - mean) * rstd * weight[i]! + bias[i]!);
    expect(maxError(pooled, (await expected('image_pooled')).data.subarray(0, 128))).toBeLessThan(1e-4);
  });

  function project(row: Float32Array, matrix: Float32Array): Float32Array {
    const width = row.length;
    return Float32Array.from({ length: matrix.length / width }, (_, out) =>
      row.reduce((sum, value, i) => sum + value * matrix[out * width + i]!, 0),
    );
  }
});

describe('a model that is published', () => {
  test('reproduces its numbers, in half precision too', async () => {
    for (const half of [false, true]) {
      const checks = await verify(await model({ half }), { known });
      expect(outcomes(checks)).toEqual({
        ...SOUND,
        activation: 'passed',
        'reference numbers': 'passed',
        picture: 'not run',
      });
      expect(detail(checks, 'reference numbers')).toMatch(
        half ? /at most 0\.01 \(test\/reference\)$/ : /at most 0\.001/,
      );
    }
  });

  test('under the wrong activation is told from another model', async () => {
    // The same weights as clip-tiny's.
    const folder = await model({ from: 'clip-tiny-gelu' });
    const checks = await verify(folder, { known });
    expect(outcomes(checks)).toMatchObject({ activation: 'failed', 'reference numbers': 'failed' });
    expect(detail(checks, 'activation')).toBe('config.json says gelu, the golden model has quick_gelu');
    expect(detail(checks, 'reference numbers')).toMatch(/with quick_gelu they come out$/);
  });

  test('with one tower damaged fails', async () => {
    const folder = await model({}, (name, values) => {
      if (name === 'vision_model.post_layernorm.bias') values[2]! += 0.01;
    });
    const checks = await verify(folder, { known });
    expect(outcomes(checks)).toMatchObject({ ...SOUND, 'reference numbers': 'failed' });
    expect(detail(checks, 'reference numbers')).toMatch(/pooled image off by 0\.0\d+/);
  });
});

test('tells how far the reading of the weights is', async () => {
  const folder = await model();
  const bars: { total: number; done: number; ended: boolean }[] = [];
  const progress = (total: number) => {
    const bar = { total, done: 0, ended: false };
    bars.push(bar);
    return {
      tick: (n: number) => {
        bar.done += n;
      },
      [Symbol.dispose]: () => {
        bar.ended = true;
      },
    };
  };
  await verify(folder, { events: { progress } });
  expect(bars).toEqual([
    { total: (await tinyClip('clip-tiny')).clip.names().length, done: expect.any(Number), ended: true },
  ]);
  expect(bars[0]!.done).toBe(bars[0]!.total);
});

describe('a model that is not', () => {
  test('of the same sizes', async () => {
    const folder = await model({}, (name, values) => {
      if (name.endsWith('fc1.weight')) values.set(values.map((value) => value * 1.5));
    });
    const checks = await verify(folder, { known });
    expect(outcomes(checks)).toEqual({
      ...SOUND,
      activation: 'not run',
      'reference numbers': 'not run',
      picture: 'not run',
    });
    expect(detail(checks, 'reference numbers')).toMatch(
      /^not applicable: not the golden model \(none of its numbers comes out: pooled image off by /,
    );
    const expected = await verify(folder, { known, expectKnown: true });
    expect(outcomes(expected)).toMatchObject({ 'reference numbers': 'failed' });
  });

  test("of other sizes than OpenAI's ViT-B/32", async () => {
    const checks = await verify(await model());
    expect(detail(checks, 'activation')).toMatch(
      /says quick_gelu; no reference to compare with: not OpenAI's ViT-B\/32/,
    );
    expect(detail(checks, 'reference numbers')).toMatch(/\(other sizes\)$/);
    expect(OPENAI_VIT_B32.text.ids).toHaveLength(7);
  });
});

describe('damaged models', () => {
  test('NaN planted, a matrix never filled, a scale gone wild', async () => {
    const folder = await model({}, (name, values) => {
      if (name === 'text_model.encoder.layers.1.mlp.fc1.bias') values[3] = Number.NaN;
      if (name === 'visual_projection.weight') values.fill(0);
      if (name === 'logit_scale') values[0] = 20;
    });
    const checks = await verify(folder, { known });
    expect(outcomes(checks)).toEqual({
      shapes: 'passed',
      preprocessing: 'not run',
      'finite weights': 'failed',
      'filled weights': 'failed',
      'logit scale': 'failed',
      vocabulary: 'passed',
      'finite features': 'not run',
      activation: 'not run',
      'reference numbers': 'not run',
      picture: 'not run',
    });
    expect(detail(checks, 'finite weights')).toMatch(/in text_model\.encoder\.layers\.1\.mlp\.fc1\.bias \(1 of 256\)$/);
    expect(detail(checks, 'filled weights')).toMatch(/visual_projection\.weight \(all 0\)/);
  });

  test('weights so large that features overflow', async () => {
    const folder = await model({}, (name, values) => {
      if (name === 'visual_projection.weight') values.set(values.map((value) => value * 3e38));
    });
    expect(outcomes(await verify(folder, { known }))).toMatchObject({ 'finite features': 'failed' });
  });

  test('a vocabulary that ends texts otherwise than the configuration, and one with spare rows', async () => {
    const folder = await model({ vocabulary: '#version: 0.2\n' });
    const checks = await verify(folder, { known });
    expect(detail(checks, 'vocabulary')).toMatch(
      /texts begin with 512 and end with 513; the table has 486 rows beyond it$/,
    );
    const path = join(folder, 'config.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace('"eos_token_id": 2', '"eos_token_id": 999'));
    const again = await verify(folder, { known });
    expect(outcomes(again)).toMatchObject({ ...SOUND, vocabulary: 'failed' });
    expect(detail(again, 'vocabulary')).toMatch(/<\|endoftext\|> is 513, the model's configuration says 999/);
  });

  test('wrong shapes, and no vocabulary', async () => {
    const folder = await model({ vocabulary: 'no merges here, but words' });
    expect(outcomes(await verify(folder, { known }))).toMatchObject({ ...SOUND, vocabulary: 'failed' });
    const path = join(folder, 'config.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace('"patch_size": 8', '"patch_size": 16'));
    const checks = await verify(folder, { known });
    expect(checks.map(({ outcome }) => outcome)).toEqual(['failed', ...Array.from({ length: 9 }, () => 'not run')]);
    expect(detail(checks, 'shapes')).toMatch(/patch_embedding\.weight" should have shape \[128, 3, 16, 16\]/);
    await expect(verify(scratch('nowhere'))).rejects.toThrow(/nowhere: cannot be opened/);
  });
});
