/** Texts that no image changes are encoded once; what was kept gives the same logits, bit for bit, and is not believed without its checksum. */
import { chmod, cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { OpenedDevice } from '../../src/kernels/index.js';
import { openClassifier, zeroShotClassifier } from '../../src/node/classifier.js';
import { openModelDirectory } from '../../src/node/model-directory.js';
import { keptTexts, type TextRequest } from '../../src/node/text-cache.js';
import { ClipModel, DEFAULT_MEMORY, type Mode, normalizedFeatures, tuningOptions } from '../../src/ptdpc/index.js';
import { tinyVocabulary } from '../cli/tiny-vocabulary.js';
import { openTestDevice } from '../support/devices.js';
import { randomReals } from '../support/random.js';
import { scratchFolder } from './scratch.js';

const scratch = scratchFolder();
const model = scratch('model');
const WORDS = ['awe', 'great joy', 'sadness'];
const MODES = ['cs', 'none', 'both'] as const;

async function openDevice(): Promise<OpenedDevice> {
  const backend = await openTestDevice('cpu');
  return { backend, reason: '', [Symbol.dispose]: () => backend.dispose() };
}

let images: Float32Array;

beforeAll(async () => {
  await cp(new URL('../fixtures/clip-tiny/', import.meta.url).pathname, model, { recursive: true });
  await writeFile(join(model, 'merges.txt'), tinyVocabulary);
  await using source = await openModelDirectory(model);
  using device = await openDevice();
  using clip = new ClipModel(device, source);
  images = normalizedFeatures(randomReals(1)(4 * clip.width), clip.width);
  const train = { features: images, labels: Int32Array.of(0, 1, 2, 1) };
  for (const mode of MODES) {
    using tuned = await clip.tune({ classes: WORDS, train, options: tuningOptions('paper', { mode, epochs: 1 }) });
    await writeFile(scratch(`${mode}.safetensors`), await tuned.save());
  }
});

const open = async (what: Mode | 'zero-shot', cache?: string) =>
  what === 'zero-shot'
    ? zeroShotClassifier(
        await openModelDirectory(model, cache),
        WORDS.map((word) => ({ folder: word, word })),
        ['a photo of {}', '{}'],
      )
    : await openClassifier(scratch(`${what}.safetensors`), { model, cacheDirectory: cache });

/** The logits of the images, and whether the text tower was read for them. */
async function score(what: Mode | 'zero-shot', cacheDirectory?: string) {
  await using classifier = await open(what, cacheDirectory);
  using device = await openDevice();
  const { weights } = classifier.encoder;
  const reads = [vi.spyOn(weights, 'read'), vi.spyOn(weights, 'readHalves')];
  using scorer = await classifier.scorer(device, { memory: DEFAULT_MEMORY, cacheDirectory });
  const logits = await scorer.logits(images);
  const read = reads.flatMap(({ mock }) => mock.calls.map(([name]) => name));
  return { logits, readsTower: read.some((name) => name.startsWith('text_model.encoder')) };
}

/** The segments in a cache. */
const segments = async (cache: string) =>
  (await readdir(cache, { recursive: true }).catch(() => []))
    .filter((name) => name.endsWith('.safetensors'))
    .map((name) => join(cache, name));

describe.each(['cs', 'none', 'zero-shot'] as const)('%s', (what) => {
  test('the second call does not read the text tower, and gives the same bits', async () => {
    const cache = scratch(`cache-${what}`);
    const plain = await score(what);
    expect(plain.readsTower).toBe(true);
    expect(await score(what, cache)).toEqual(plain);
    expect(await score(what, cache)).toEqual({ ...plain, readsTower: false });
    expect(await score(what)).toEqual(plain);
  });

  test('a damaged file is passed over and replaced', async () => {
    const cache = scratch(`damaged-${what}`);
    const plain = await score(what, cache);
    const [path] = await segments(cache);
    const bytes = await readFile(path!);
    for (const damaged of [bytes.with(-3, bytes.at(-3)! ^ 1), bytes.subarray(0, -1), Buffer.from('nonsense')]) {
      await writeFile(path!, damaged);
      expect(await score(what, cache)).toEqual(plain);
      expect(await score(what, cache)).toEqual({ ...plain, readsTower: false });
    }
  });
});

test('texts that depend on the image are not kept, and those of other prompts not taken', async () => {
  const cache = scratch('cache-both');
  for (let call = 0; call < 2; call++) expect((await score('both', cache)).readsTower).toBe(true);
  expect(await segments(cache)).toEqual([]);
  for (const what of ['cs', 'none', 'zero-shot'] as const) expect((await score(what, cache)).readsTower).toBe(true);
});

describe('kept texts', () => {
  const request = async (cache: string): Promise<TextRequest> => {
    const source = await openModelDirectory(model);
    await source.close();
    return { model: source, arithmetic: 'any', cacheDirectory: cache, classes: 2, origin: { texts: [[1], [2]] } };
  };
  const make = vi.fn(async () => new Float32Array(128).fill(0.5));
  const made = async (asked: TextRequest, result = 0.5) => {
    make
      .mockClear()
      .mockImplementation(async () => new Float32Array(2 * asked.model.config.projectionDim).fill(result));
    await keptTexts(asked, make);
    return make.mock.calls.length === 1;
  };

  test('are those of the same weights, configuration, arithmetic, tokens and prompts only', async () => {
    const asked = await request(scratch('keys'));
    expect([await made(asked), await made(asked)]).toEqual([true, false]);
    const { model: source } = asked;
    for (const other of [
      { ...asked, model: { ...source, hash: async () => 'other' } },
      { ...asked, model: { ...source, config: { ...source.config, layerNormEpsilon: 1e-3 } } },
      { ...asked, arithmetic: 'other' },
      { ...asked, origin: { texts: [[1], [3]] } },
    ])
      expect([await made(other), await made(other)]).toEqual([true, false]);
    expect(await made(asked)).toBe(false);
  });

  test('are not believed where others could have put them, nor if they are not numbers', async () => {
    const asked = await request(scratch('shared'));
    expect([await made(asked), await made(asked)]).toEqual([true, false]);
    await chmod(scratch('shared'), 0o777);
    expect(await made(asked)).toBe(true);
    const broken = await request(scratch('broken'));
    expect([await made(broken, Number.NaN), await made(broken, Number.NaN)]).toEqual([true, true]);
  });
});
