/** Where prompts start, and what becomes of starts that are equal. */
import { describe, expect, it } from 'vitest';
import { TextTower, TokenEmbeddings } from '../../src/clip/towers/index.js';
import { normalizedFeatures } from '../../src/ptdpc/features.js';
import { type Mode, type TuningOptions, tuningOptions } from '../../src/ptdpc/options.js';
import { PromptModel } from '../../src/ptdpc/prompt-model.js';
import { initialPrompts } from '../../src/ptdpc/prompt-text.js';
import { trainPrompts } from '../../src/ptdpc/train.js';
import { Engine } from '../../src/tensor/index.js';
import { describeOnAll } from '../support/devices.js';
import { randomReals } from '../support/random.js';
import { randomClip, SMALL_CLIP } from '../support/random-clip.js';

const WIDTH = SMALL_CLIP.text.width;
const clip = randomClip();
const embeddings = new TokenEmbeddings(clip);
const text = { sot: 58, eot: 59, template: [4, 9], classes: [[1], [2, 3], [5]] };
const start = (overrides: Partial<TuningOptions>, prompts = 3) =>
  initialPrompts(text, tuningOptions('paper', overrides), prompts, embeddings);

describe('the start', () => {
  it.each([false, true])(
    'is the template, for every prompt; with the start of text where that is learned: %s',
    async (learnSot) => {
      const ids = learnSot ? [58, 4, 9] : [4, 9];
      const rows = await Promise.all(ids.map((id) => embeddings.row(id)));
      const expected = [0, 1, 2].flatMap(() => rows.flatMap((row) => [...row]));
      expect([...(await start({ learnSot }))]).toEqual(expected);
    },
  );

  it('gets noise of the share asked for, normal, drawn by the seed', async () => {
    const clean = await start({}, 200);
    const noisy = await start({ initNoise: 0.5, seed: 3 }, 200);
    for (const [token, id] of text.template.entries()) {
      const row = await embeddings.row(id);
      const size = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0) / WIDTH);
      const noise = [...noisy]
        .map((value, i) => (value - clean[i]!) / (0.5 * size))
        .filter((_, i) => Math.floor(i / WIDTH) % 2 === token);
      const moment = (power: number) => noise.reduce((sum, z) => sum + z ** power, 0) / noise.length;
      // Of a standard normal: 0, 1, 0, 3. The bounds are five standard errors wide.
      const bound = (variance: number) => 5 * Math.sqrt(variance / noise.length);
      expect(Math.abs(moment(1))).toBeLessThan(bound(1));
      expect(Math.abs(moment(2) - 1)).toBeLessThan(bound(2));
      expect(Math.abs(moment(3))).toBeLessThan(bound(15));
      expect(Math.abs(moment(4) - 3)).toBeLessThan(bound(96));
    }
    expect(await start({ initNoise: 0.5, seed: 3 }, 200)).toEqual(noisy);
    expect(await start({ initNoise: 0.5, seed: 4 }, 200)).not.toEqual(noisy);
  });
});

describeOnAll('equal starts', (device) => {
  /** The three classes' prompts after two epochs. */
  async function tuned(mode: Mode, overrides: Partial<TuningOptions>): Promise<Float32Array[]> {
    const options = tuningOptions('paper', { mode, epochs: 2, batchSize: 4, learningRate: 0.05, ...overrides });
    const engine = new Engine(device());
    using tower = await TextTower.load(engine, clip, SMALL_CLIP);
    using model = await PromptModel.create(tower, embeddings, text, options);
    const before = await model.prompts.read();
    const features = normalizedFeatures(randomReals(1)(11 * WIDTH), WIDTH);
    const labels = Int32Array.from({ length: 11 }, (_, i) => (i * 7) % 3);
    await trainPrompts({ model, options, train: { features, labels }, memory: 2 ** 30 });
    const after = (await model.prompts.read()) as Float32Array;
    expect(after).not.toEqual(before);
    const size = after.length / 3;
    return [0, 1, 2].map((i) => after.slice(i * size, (i + 1) * size));
  }

  it.each(['paper', 'official'] as const)(
    'stay equal in mode both, to the last bit (weights and loss of %s)',
    async (preset) => {
      const { weight, loss, learnSot } = tuningOptions(preset);
      const [first, second, third] = await tuned('both', { weight, loss, learnSot });
      expect(second).toEqual(first);
      expect(third).toEqual(first);
    },
  );

  it('part in mode cs, and in mode both after a start with noise', async () => {
    for (const prompts of [await tuned('cs', {}), await tuned('both', { initNoise: 0.1 })]) {
      expect(prompts[1]).not.toEqual(prompts[0]);
      expect(prompts[2]).not.toEqual(prompts[0]);
    }
  });
});
