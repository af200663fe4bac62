/** Nearest words against a naive float64 computation over the whole vocabulary, on every device. */
import { expect, it } from 'vitest';
import { TokenEmbeddings } from '../../src/clip/towers/index.js';
import { InputError } from '../../src/errors.js';
import { type NearestWord, nearestWords } from '../../src/ptdpc/nearest-words.js';
import { WORD_METRICS, type WordMetric } from '../../src/ptdpc/options.js';
import { Engine } from '../../src/tensor/index.js';
import { describeOnAll } from '../support/devices.js';
import { randomReals } from '../support/random.js';
import { randomClip, SMALL_CLIP } from '../support/random-clip.js';

const WIDTH = SMALL_CLIP.text.width;
const VOCABULARY = 3001;
const clip = randomClip({ ...SMALL_CLIP, text: { ...SMALL_CLIP.text, vocabularySize: VOCABULARY } });
const embeddings = new TokenEmbeddings(clip);

/** Random vectors, one that is a token's own embedding, and one of zeros. */
async function learnedVectors(): Promise<Float32Array> {
  const vectors = randomReals(11)(7 * WIDTH);
  vectors.set(await embeddings.row(1234), 0);
  vectors.fill(0, 6 * WIDTH);
  return vectors;
}

/** Every token compared, then sorted: what `nearestWords` means. */
async function naive(
  vector: Float32Array,
  metric: WordMetric,
  top: number,
  skips = (_: number) => false,
): Promise<NearestWord[]> {
  const all: NearestWord[] = [];
  for (let id = 0; id < VOCABULARY; id++) {
    if (skips(id)) continue;
    const row = Array.from(await embeddings.row(id));
    const dot = row.reduce((sum, x, i) => sum + x * vector[i]!, 0);
    const length = Math.hypot(...row) * Math.hypot(...vector);
    const distance = Math.hypot(...row.map((x, i) => x - vector[i]!));
    all.push({ id, similarity: length === 0 ? 0 : dot / length, distance });
  }
  const key = (word: NearestWord) => (metric === 'cosine' ? -word.similarity : word.distance);
  return all.sort((a, b) => key(a) - key(b) || a.id - b.id).slice(0, top);
}

function expectSame(found: readonly NearestWord[], expected: readonly NearestWord[]): void {
  expect(found.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
  for (const [i, { similarity, distance }] of found.entries()) {
    expect(similarity).toBeCloseTo(expected[i]!.similarity, 12);
    expect(distance).toBeCloseTo(expected[i]!.distance, 12);
  }
}

describeOnAll('nearest words', (device) => {
  it.each(WORD_METRICS)('by %s, whatever the memory', async (metric) => {
    const engine = new Engine(device());
    const vectors = await learnedVectors();
    // What the device keeps for itself comes on top; the smaller budget holds some hundreds of rows at a time.
    const { fixedBytes } = device().memory;
    for (const memory of [2 ** 30, fixedBytes + 2 ** 16]) {
      const pieces: number[] = [];
      const onProgress = (tokens: number) => void pieces.push(tokens);
      const found = await nearestWords(engine, vectors, embeddings, { top: 5, metric, memory, onProgress });
      expect(pieces.reduce((sum, tokens) => sum + tokens)).toBe(VOCABULARY);
      expect(pieces.length > 1).toBe(memory !== 2 ** 30);
      expect(found).toHaveLength(7);
      for (const [i, words] of found.entries()) {
        expectSame(words, await naive(vectors.subarray(i * WIDTH, (i + 1) * WIDTH), metric, 5));
      }
      expect(found[0]![0]).toMatchObject({ id: 1234, distance: 0 });
      expect(found[0]![0]!.similarity).toBeCloseTo(1, 14);
    }
  });

  it('passes over what it is told to, and gives no more than there is', async () => {
    const engine = new Engine(device());
    const vectors = (await learnedVectors()).subarray(0, WIDTH);
    const skips = (id: number) => id === 1234 || id % 3 === 0;
    const [few] = await nearestWords(engine, vectors, embeddings, { top: 4, metric: 'cosine', skips, memory: 2 ** 30 });
    expectSame(few!, await naive(vectors, 'cosine', 4, skips));
    const most = (id: number) => id > 2;
    const options = { top: 9, metric: 'euclidean', skips: most, memory: 2 ** 30 } as const;
    const [all] = await nearestWords(engine, vectors, embeddings, options);
    expect(all!.map(({ id }) => id).sort()).toEqual([0, 1, 2]);
  });

  it('refuses a budget that is too small for one row', async () => {
    const engine = new Engine(device());
    const vectors = await learnedVectors();
    const request = nearestWords(engine, vectors, embeddings, { top: 1, metric: 'cosine', memory: 1024 });
    await expect(request).rejects.toThrow(InputError);
    await expect(request).rejects.toThrow(/^--memory: comparing 7 learned tokens .* needs \d+\.\d MiB, found 0\.0 MiB/);
  });
});
