/** Every exact saving against the naive computation, in float64, where "exact" can be told from "close". */
import { afterEach, describe, expect, it } from 'vitest';
import { TextTower, TokenEmbeddings, treePlan, withPosition } from '../../src/clip/towers/index.js';
import { CpuBackend } from '../../src/kernels/index.js';
import { planBatch } from '../../src/ptdpc/budget.js';
import { normalizedFeatures } from '../../src/ptdpc/features.js';
import { MODES, type Mode, tuningOptions } from '../../src/ptdpc/options.js';
import { PromptModel } from '../../src/ptdpc/prompt-model.js';
import { accumulateGradient, predictLogits } from '../../src/ptdpc/step.js';
import { Engine } from '../../src/tensor/index.js';
import { randomReals } from '../support/random.js';
import { randomClip, SMALL_CLIP } from '../support/random-clip.js';
import { maxError } from '../support/tiny-clip.js';

const WIDTH = SMALL_CLIP.text.width;
const clip = randomClip();
const embeddings = new TokenEmbeddings(clip);
const text = { sot: 58, eot: 59, template: [4, 9, 7], classes: [[1], [2, 3], [5, 6, 8], [11]] };
const batch = { features: normalizedFeatures(randomReals(8)(5 * WIDTH), WIDTH), labels: Int32Array.of(0, 3, 1, 2, 2) };

const backend = new CpuBackend({ precision: 'f64', poison: true });
const engine = new Engine(backend);
const tower = await TextTower.load(engine, clip, SMALL_CLIP);
const live = backend.memory.buffers;
afterEach(() => expect(backend.memory.buffers).toBe(live));

it('frozen rows: a token at the same place of many classes is kept once', async () => {
  const tokens = Array.from({ length: 50 }, (_, id) => id);
  const classes = tokens.flatMap((first) => tokens.map((second) => [first, second]));
  const options = tuningOptions('paper', { mode: 'none' });
  using model = await PromptModel.create(tower, embeddings, { ...text, classes }, options);
  const { frozen } = model;
  expect(frozen.suffixes.length).toBe(2500);
  // The learned tokens' places, SOT, 50 tokens at two places, EOT at the third.
  expect(frozen.rows).toBe(text.template.length + 1 + 50 + 50 + 1);
});

async function modelOf(mode: Mode, learnSot = false) {
  const options = { ...tuningOptions('paper', { mode }), learnSot };
  const model = await PromptModel.create(tower, embeddings, text, options);
  // Away from the start, where all classes' prompts are equal and mistakes between them would not show.
  engine.backend.write(model.prompts.buffer, randomReals(17)(model.prompts.size));
  return model;
}

/** Logits by the book: each image and class a whole sequence of its own, prompts composed by the formula on the host. */
async function naiveLogits(model: PromptModel): Promise<number[]> {
  const { mode, learnSot } = model.options;
  const prompts = await model.prompts.readExact();
  const [count = 0, tokens = 0] = model.prompts.shape;
  const prompt = (i: number, j: number) => prompts.subarray((i * tokens + j) * WIDTH, (i * tokens + j + 1) * WIDTH);
  const logits: number[] = [];
  for (let b = 0; b < batch.labels.length; b++) {
    const f = Float64Array.from(batch.features.subarray(b * WIDTH, (b + 1) * WIDTH));
    for (const [c, words] of text.classes.entries()) {
      const learned = Array.from({ length: tokens }, (_, j) => {
        if (mode === 'cs' || mode === 'none') return prompt(mode === 'cs' ? c : 0, j);
        const composed = new Float64Array(WIDTH);
        for (let i = 0; i < count; i++) {
          const p = prompt(i, j);
          const weight = dot(f, p) / Math.hypot(...p) / Math.hypot(...f);
          for (let d = 0; d < WIDTH; d++) composed[d]! += weight * p[d]!;
        }
        return composed;
      });
      const token = async (id: number) => Float64Array.from(await embeddings.row(id));
      const rows = [...learned];
      if (!learnSot) rows.unshift(await token(text.sot));
      for (const id of [...words, text.eot]) rows.push(await token(id));
      const data = rows.flatMap((row, at) => [...row].map((value, d) => value + tower.position(at)[d]!));
      using plan = treePlan(engine, [{ prefix: 0, suffixes: [rows.length] }]);
      const features = engine.scope(() => tower.encodeRows(engine.tensor(data, [rows.length, WIDTH]), plan));
      const t = await features.readExact();
      features.dispose();
      logits.push((model.logitScale * dot(f, t)) / Math.hypot(...t));
    }
  }
  return logits;
}

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const rowBytes = tower.trainingBytesPerRow;
const GIB = 2 ** 30;
/** A budget in which so many rows fit, and no more: what planBatch sets aside, and the rows' share. */
const budgetFor = (rows: number, model: PromptModel, bytesPerRow = rowBytes) =>
  1 + tower.largestWeightBytes + 28 * model.prompts.size + (rows * bytesPerRow) / 0.8;

describe.each(MODES)('mode %s', (mode) => {
  it.each([false, true])('shared prefixes give what separate sequences give (learned SOT: %s)', async (learnSot) => {
    using model = await modelOf(mode, learnSot);
    const logits = engine.scope(() => model.logits(engine.tensor(batch.features, [5, WIDTH])));
    // The host's features are float32-normalised, the naive ones normalised again: 1e-7 apart.
    expect(maxError(await logits.readExact(), await naiveLogits(model))).toBeLessThan(2e-6);
    logits.dispose();
  });

  it('a batch in pieces gives the gradient of the whole', async () => {
    const gradient = async (rows: number) => {
      using model = await modelOf(mode);
      const result = await accumulateGradient(model, batch, budgetFor(rows, model));
      return { ...result, grad: await model.prompts.grad!.readExact() };
    };
    const whole = await gradient(1e6);
    expect(Math.max(...whole.grad.map(Math.abs))).toBeGreaterThan(1e-3);
    // Rows for two images; for one image with part of its classes; for a single class.
    for (const rows of [40, 12, 9]) {
      const pieces = await gradient(rows);
      expect(maxError(pieces.grad, whole.grad), `${rows} rows`).toBeLessThan(1e-9);
      // Runs of classes pass their logits through the host in float32.
      expect(Math.abs(pieces.loss - whole.loss)).toBeLessThan(1e-6);
      expect(maxError(pieces.logits, whole.logits)).toBeLessThan(1e-6);
    }
  });

  it('predictions do not depend on the budget', async () => {
    using model = await modelOf(mode);
    const whole = await predictLogits(model, batch.features, GIB);
    const pieces = await predictLogits(model, batch.features, budgetFor(10, model, tower.inferenceBytesPerRow));
    expect(maxError(pieces, whole)).toBeLessThan(1e-6);
  });

  it('training stays within its budget', async () => {
    for (const rows of [30, 100]) {
      // Without the compiled kernels' own memory, which would be most of it.
      const device = new CpuBackend({ precision: 'f32', wasm: false });
      const own = new Engine(device);
      using small = await TextTower.load(own, clip, SMALL_CLIP);
      using model = await PromptModel.create(small, embeddings, text, tuningOptions('paper', { mode }));
      const weights = device.memory.bytes;
      const budget = budgetFor(rows, model);
      await accumulateGradient(model, batch, budget);
      expect(device.memory.peakBytes - weights).toBeLessThanOrEqual(budget);
    }
  });

  it('a budget too small for one prompt is refused', async () => {
    using model = await modelOf(mode);
    await expect(accumulateGradient(model, batch, 1000)).rejects.toThrow(
      /--memory: one prompt .* needs at least \d+\.\d MiB/,
    );
  });
});

it.each(['cs', 'none'] as const)('mode %s: many images in pieces, compared with texts encoded once', async (mode) => {
  const images = 400;
  const features = normalizedFeatures(randomReals(9)(images * WIDTH), WIDTH);
  const many = { features, labels: Int32Array.from({ length: images }, (_, i) => (3 * i) % 4) };
  const gradient = async (budget: (model: PromptModel) => number) => {
    using model = await modelOf(mode);
    const result = await accumulateGradient(model, many, budget(model));
    const predicted = await predictLogits(model, many.features, budget(model));
    return { ...result, predicted, grad: await model.prompts.grad!.readExact() };
  };
  const whole = await gradient(() => GIB);
  // For all classes together and one after the other, but of images for a part.
  for (const rows of [30, 9]) {
    const pieces = await gradient((model) => {
      expect(planBatch(model, images, budgetFor(rows, model), rowBytes).images).toBeLessThan(images);
      return budgetFor(rows, model);
    });
    expect(maxError(pieces.grad, whole.grad), `${rows} rows`).toBeLessThan(1e-9);
    expect(Math.abs(pieces.loss - whole.loss)).toBeLessThan(1e-6);
    for (const logits of [pieces.logits, pieces.predicted]) expect(maxError(logits, whole.logits)).toBeLessThan(1e-6);
  }
});

it('text after the end token cannot matter: no padding', async () => {
  // The same sequence alone, and as the prefix of a longer one whose extra rows nobody reads.
  const ids = [58, 1, 2, 3, 59];
  const rows: Float32Array[] = [];
  for (const [at, id] of [...ids, 0, 0, 0].entries())
    rows.push(withPosition(await embeddings.row(id), tower.position(at)));
  using padded = treePlan(engine, [{ prefix: 4, suffixes: [1, 4] }]);
  const data = [...rows.slice(0, 5), ...rows.slice(4)].flatMap((row) => [...row]);
  const [alone, both] = [
    await tower.encodeTokens([ids], embeddings),
    engine.scope(() => tower.encodeRows(engine.tensor(data, [9, WIDTH]), padded)),
  ];
  expect(maxError((await both.readExact()).slice(0, WIDTH), await alone.readExact())).toBeLessThan(1e-12);
  alone.dispose();
  both.dispose();
});
