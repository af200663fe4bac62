/** The learners on features against PyTorch in float64: first logits and gradient, the losses of a whole training, and what it ends with. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/kernels/index.js';
import { addGradient, lossOf } from '../../src/learners/features/descend.js';
import {
  type FeatureJob,
  type FeatureLearner,
  featureLogits,
  openModel,
} from '../../src/learners/features/feature-learner.js';
import { FEATURE_LEARNERS } from '../../src/learners/features/index.js';
import { C_WITHOUT_VALIDATION } from '../../src/learners/features/linear-probe.js';
import { largestEigenvalue, lpPlusPlusStart } from '../../src/learners/features/lp-plus-plus.js';
import { TIP_START } from '../../src/learners/features/tip-adapter.js';
import { FEATURE_FACTS, learnerNamed } from '../../src/learners/index.js';
import { evaluate } from '../../src/ptdpc/evaluate.js';
import { normalizedFeatures } from '../../src/ptdpc/features.js';
import { checkedOptions } from '../../src/ptdpc/options.js';
import { Engine } from '../../src/tensor/index.js';
import { describeOn, describeOnAll } from '../support/devices.js';
import { fixture, maxError, tensorsOf } from '../support/tiny-clip.js';

interface Case {
  name: string;
  options: Record<string, unknown>;
  validates: boolean;
  losses: number[];
  chosen?: Record<string, number>;
  steps?: { weight: number; alpha: number };
}
const { cases } = JSON.parse(await readFile(fixture('learners/features/cases.json'), 'utf8')) as { cases: Case[] };
const stored = await tensorsOf('learners/features/tensors.safetensors');
const numbers = async (name: string) => (await stored(name)).data;
const [classes, width] = (await stored('raw_texts')).shape as [number, number];
const rawTexts = await numbers('raw_texts');
const images = async (name: string) => ({
  features: await numbers(name),
  labels: Int32Array.from(await numbers(`${name}_labels`)),
});
const [train, validation] = [await images('train'), await images('val')];
const sizes = { classes, joint: width, images: train.labels.length };
const scale = (await numbers('scale'))[0]!;
const MEMORY = 2 ** 28;

const jobOn = (device: Backend, more: Partial<FeatureJob> = {}): FeatureJob => ({
  ...{ engine: new Engine(device), classes, width, train, rawTexts, scale, memory: MEMORY },
  texts: normalizedFeatures(rawTexts, width),
  ...more,
});

const named = (name: string): FeatureLearner => FEATURE_LEARNERS.find((learner) => learner.name === name)!;
const goldenOf = (name: string): Case => {
  const found = cases.find((one) => one.name === name);
  if (!found) throw new Error(`no golden numbers of ${name}: add it to feature_learners_reference.py`);
  return found;
};

const logitsOf = (
  learner: FeatureLearner,
  job: FeatureJob,
  fitted: Parameters<typeof featureLogits>[2],
  x: Float32Array,
) => featureLogits(job.engine, learner.model, fitted, x, sizes, job.memory);

/** Mean loss of the start on all training images, and the gradients of what is learned. */
async function firstGradient(learner: FeatureLearner, job: FeatureJob, options: Record<string, unknown>, most = 99) {
  const start = await learner.start(job, options);
  if (learner.model.learned.length === 0) return { start, loss: 0, gradients: new Map<string, Float32Array>() };
  using opened = openModel(job.engine, learner.model, start.tensors, true);
  const loss = await addGradient(
    job.engine,
    lossOf(learner.model, opened.tensors, start.constants),
    train,
    width,
    most,
  );
  const gradients = new Map<string, Float32Array>();
  for (const name of learner.model.learned) {
    gradients.set(name, await opened.tensors[name]!.grad!.read());
    opened.tensors[name]!.zeroGrad();
  }
  return { start, loss, gradients };
}

const largest = (values: Float32Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

describeOnAll('learners on features, golden', (device) => {
  for (const learner of FEATURE_LEARNERS) {
    it(`${learner.name}: first logits and gradient`, async () => {
      const job = jobOn(device());
      const { start, gradients } = await firstGradient(learner, job, goldenOf(learner.name).options);
      const logits = await logitsOf(learner, job, start, train.features);
      expect(maxError(logits, await numbers(`${learner.name}.logits`))).toBeLessThan(1e-4);
      for (const [name, gradient] of gradients) {
        const want = await numbers(`${learner.name}.grad.${name}`);
        expect(maxError(gradient, want) / largest(want), name).toBeLessThan(1e-3);
      }
    });

    it(`${learner.name}: the whole training`, async () => {
      const { options, validates, losses, chosen } = goldenOf(learner.name);
      const seen: number[] = [];
      const job = jobOn(device(), {
        validation: validates ? validation : undefined,
        onStep: ({ loss }) => void seen.push(loss),
      });
      const fitted = await learner.fit(job, checkedOptions(learner.fields, { ...learner.defaults, ...options }));
      if (losses.length > 0) {
        expect(losses.length).toBeGreaterThanOrEqual(10);
        expect(maxError(seen, losses)).toBeLessThan(1e-4);
      }
      if (chosen) expect(fitted.constants).toMatchObject(chosen);
      for (const name of learner.model.learned) {
        const want = await numbers(`${learner.name}.fitted.${name}`);
        expect(maxError(fitted.tensors[name]!.data, want) / largest(want), name).toBeLessThan(1e-3);
      }
      const logits = await logitsOf(learner, job, fitted, validation.features);
      expect(maxError(logits, await numbers(`${learner.name}.fitted`))).toBeLessThan(1e-3);
    });
  }
});

describeOn('cpu', 'learners on features', (device) => {
  it.each(FEATURE_LEARNERS.map(({ name }) => name))('%s counts the numbers that it learns', async (name) => {
    const learner = named(name);
    const { options } = goldenOf(name);
    const full = checkedOptions(learner.fields, { ...learner.defaults, ...options });
    const { tensors } = await learner.start(jobOn(device()), full);
    const shapes = Object.entries(tensors).map(([name, { shape }]) => [name, shape]);
    expect(Object.fromEntries(shapes)).toEqual(learner.model.shapes(sizes));
    const count = learner.model.learned.reduce((sum, one) => sum + tensors[one]!.data.length, 0);
    // Five, four and three images of the classes: four on average.
    expect(learner.parameters({ classes, joint: width, width: 32, vision: 32, shots: 4 }, full)).toBe(count);
  });

  it.each(FEATURE_LEARNERS.map(({ name }) => name))('%s does the same in little memory', async (name) => {
    const learner = named(name);
    const { options } = goldenOf(name);
    const whole = await firstGradient(learner, jobOn(device()), options);
    const pieces = await firstGradient(learner, jobOn(device()), options, 5);
    expect(pieces.loss).toBeCloseTo(whole.loss, 5);
    for (const [key, gradient] of whole.gradients)
      expect(maxError(pieces.gradients.get(key)!, gradient) / largest(gradient), key).toBeLessThan(1e-5);
    const full = checkedOptions(learner.fields, { ...learner.defaults, ...options });
    const fitIn = async (memory: number) => {
      const job = jobOn(device(), { memory });
      const fitted = await learner.fit(job, full);
      return await logitsOf(learner, job, fitted, validation.features);
    };
    const { fixedBytes } = device().memory;
    await expect(fitIn(fixedBytes + 512)).rejects.toThrow(/^--memory: this learner takes [\d.]+ MiB, found/);
    const least = await inLeastMemory(fixedBytes, fitIn);
    expect(maxError(least, await fitIn(MEMORY))).toBeLessThan(1e-3);
  });

  it('Tip-Adapter-F chooses its ratios after training, and holds what is given', async () => {
    const learner = named('tip-adapter-f');
    const { options } = goldenOf('tip-adapter-f');
    const job = jobOn(device(), { validation });
    const fitted = async (more: object) =>
      await learner.fit(job, checkedOptions(learner.fields, { ...learner.defaults, ...options, ...more }));
    const both = await fitted({ alpha: 'auto', beta: 'auto' });
    const one = await fitted({ alpha: 'auto' });
    const none = await fitted({});
    expect(one.constants.beta).toBe(3);
    expect(none).toMatchObject({ constants: { alpha: 2, beta: 3 }, choice: [] });
    const accuracy = async (fitted: typeof none) =>
      evaluate(await logitsOf(learner, job, fitted, validation.features), validation.labels, classes).accuracy;
    expect(both.choice[0]!.valAccuracy).toBe(await accuracy(both));
    expect(one.choice[0]!.valAccuracy).toBeGreaterThanOrEqual(await accuracy(none));
  });

  it('without validation images the stated defaults hold', async () => {
    const tip = await named('tip-adapter').fit(jobOn(device()), { alpha: 'auto', beta: 'auto' });
    expect(tip.constants).toEqual({ scale, ...TIP_START });
    const probe = await named('linear-probe').fit(jobOn(device()), { c: 'auto', iterations: 50 });
    expect(probe).toMatchObject({ constants: { c: C_WITHOUT_VALIDATION }, choice: [] });
  });

  it('the linear probe chooses C on the validation images, to an eighth of a decade', async () => {
    const job = jobOn(device(), { validation });
    const { constants, choice } = await named('linear-probe').fit(job, { c: 'auto', iterations: 200 });
    const best = choice.find(({ values }) => values.c === constants.c)!;
    for (const trial of choice) expect(trial.valAccuracy).toBeLessThanOrEqual(best.valAccuracy);
    // Seven to begin with, then two around the best for 1, 1/2, 1/4 and 1/8, of which some may have been tried.
    expect(choice.length).toBeGreaterThan(7);
    const near = choice.map(({ values }) => Math.abs(Math.log10(values.c! / constants.c!))).filter((x) => x > 1e-9);
    expect(Math.min(...near)).toBeCloseTo(1 / 8, 6);
  });

  it('LP++ keeps the iteration that is best on the validation images, of equal ones the last', async () => {
    const learner = named('lp++');
    const options = { iterations: 12, alphaEvery: 5 };
    const { choice, tensors } = await learner.fit(jobOn(device(), { validation }), options);
    const most = Math.max(...choice.map(({ valAccuracy }) => valAccuracy));
    const iterations = choice.findLastIndex(({ valAccuracy }) => valAccuracy === most) + 1;
    const again = await learner.fit(jobOn(device()), { ...options, iterations });
    expect(tensors.weight!.data).toEqual(again.tensors.weight!.data);
  });

  it('epochs take the views of the images in turn, and a cache keeps their mean', async () => {
    const turned = normalizedFeatures(
      Float32Array.from(train.features, (x, i) => x + (i % 3) / 10),
      width,
    );
    const seen = async (views: readonly Float32Array[]) => {
      const losses: number[] = [];
      const onStep = ({ loss }: { loss: number }) => void losses.push(loss);
      const options = { ...named('taskres').defaults, epochs: 3, batchSize: 99 };
      await named('taskres').fit(jobOn(device(), { train: { ...train, views }, onStep }), options);
      return losses;
    };
    const [plain, both, other] = [await seen([]), await seen([train.features, turned]), await seen([turned])];
    // The first update has a rate of 1e-5, which the second loss hardly shows.
    expect(both[0]).toBe(plain[0]);
    expect(both[1]).toBeCloseTo(other[1]!, 3);
    expect(Math.abs(both[1]! - plain[1]!)).toBeGreaterThan(0.01);
    const { start, defaults } = named('tip-adapter');
    const job = jobOn(device(), { train: { ...train, views: [train.features, turned] } });
    const { tensors } = await start(job, defaults);
    const sums = train.features.map((x, i) => x + turned[i]!);
    expect(maxError(tensors.keys!.data, normalizedFeatures(sums, width))).toBeLessThan(1e-6);
  });

  it('LP++ takes its step sizes from the features', () => {
    const { weightStep, alphaStep } = lpPlusPlusStart(jobOn(device()));
    const { steps } = goldenOf('lp++');
    expect(weightStep / steps!.weight).toBeCloseTo(1, 6);
    expect(alphaStep / steps!.alpha).toBeCloseTo(1, 6);
    expect(largestEigenvalue(Float32Array.of(3, 0, 0, 4), 2)).toBeCloseTo(16, 6);
  });

  it('a class without images is refused where its mean is needed', async () => {
    const labels = Int32Array.from(train.labels, (label) => Math.min(label, 1));
    const job = jobOn(device(), { train: { ...train, labels } });
    for (const name of ['lp++', 'clap'])
      await expect(named(name).start(job, named(name).defaults)).rejects.toThrow('class 2: expected a training image');
  });
});

/** What comes of the least memory, in steps of 2 KiB, that does not throw: one image at a time. */
async function inLeastMemory(fixedBytes: number, run: (memory: number) => Promise<Float32Array>) {
  for (let memory = fixedBytes; ; memory += 2048) {
    const result = await run(memory).catch((error: Error) => {
      if (!error.message.startsWith('--memory')) throw error;
    });
    if (result) return result;
  }
}

describe('the list', () => {
  it('has each learner on features by its name', () => {
    for (const learner of FEATURE_LEARNERS) expect(learner).toMatchObject(learnerNamed(learner.name));
    expect(FEATURE_LEARNERS.map(({ name }) => name)).toEqual(FEATURE_FACTS.map(({ name }) => name));
  });

  it('has sources for what was taken from somewhere', () => {
    for (const { name, fields, sources } of FEATURE_LEARNERS)
      for (const key of Object.keys(sources)) expect(Object.keys(fields), name).toContain(key);
  });
});
