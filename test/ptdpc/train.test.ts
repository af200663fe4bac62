/** The training loop: same seed same result, resuming equals going on, both devices agree, bad losses stop it. */
import { expect, it } from 'vitest';
import { TextTower, TokenEmbeddings } from '../../src/clip/towers/index.js';
import type { Backend, WebGpuBackend } from '../../src/kernels/index.js';
import { normalizedFeatures } from '../../src/ptdpc/features.js';
import type { LabelledFeatures } from '../../src/ptdpc/labelled-features.js';
import { type TuningOptions, tuningOptions } from '../../src/ptdpc/options.js';
import { PromptModel } from '../../src/ptdpc/prompt-model.js';
import { epochOrder } from '../../src/ptdpc/random.js';
import {
  type EpochMetrics,
  evaluateOn,
  type StepMetrics,
  type Training,
  TrainingDiverged,
  type TrainingState,
  trainPrompts,
} from '../../src/ptdpc/train.js';
import { Engine } from '../../src/tensor/index.js';
import { describeOn, describeOnAll, openTestDevice } from '../support/devices.js';
import { randomReals } from '../support/random.js';
import { randomClip, SMALL_CLIP } from '../support/random-clip.js';

const WIDTH = SMALL_CLIP.text.width;
const clip = randomClip();
const text = { sot: 58, eot: 59, template: [4, 9], classes: [[1], [2, 3], [5]] };
const dataOf = (seed: number, count: number) => ({
  features: normalizedFeatures(randomReals(seed)(count * WIDTH), WIDTH),
  labels: Int32Array.from({ length: count }, (_, i) => (i * 7) % 3),
});
const options = (overrides: Partial<TuningOptions> = {}) =>
  tuningOptions('paper', { epochs: 3, batchSize: 4, learningRate: 0.05, ...overrides });

interface Setting {
  resume?: TrainingState | undefined;
  /** Epochs after which it is aborted. */
  stopAfter?: number;
  /** Hears of every epoch's state, those before a failure too. */
  states?: TrainingState[];
  train?: LabelledFeatures;
  validated?: boolean;
  /** Between which steps it pauses, and for what. */
  beforeStep?: Training['beforeStep'];
  signal?: AbortSignal;
}

async function run(device: Backend, tuning: TuningOptions, setting: Setting = {}) {
  const { resume, stopAfter, states = [], train = dataOf(1, 11), validated = true, beforeStep, signal } = setting;
  const engine = new Engine(device);
  using tower = await TextTower.load(engine, clip, SMALL_CLIP);
  using model = await PromptModel.create(tower, new TokenEmbeddings(clip), text, tuning);
  const steps: StepMetrics[] = [];
  const epochs: EpochMetrics[] = [];
  const controller = new AbortController();
  const done = trainPrompts({
    model,
    options: tuning,
    train,
    validation: validated ? dataOf(2, 5) : undefined,
    memory: 2 ** 30,
    resume,
    signal: signal ?? controller.signal,
    beforeStep,
    onStep: (metrics) => steps.push(metrics),
    onEpoch: (metrics, state) => {
      epochs.push(metrics);
      states.push(state);
      if (state.epochs === stopAfter) controller.abort(new Error('stopped'));
    },
  });
  await done.catch((error: unknown) => {
    if (!controller.signal.aborted) throw error;
  });
  return { steps, epochs, states, prompts: await model.prompts.read() };
}

describeOn('webgpu', 'training', (device) => {
  it('records a step before it waits for the results of the last', async () => {
    const { counters } = device() as WebGpuBackend;
    const engine = new Engine(device());
    using tower = await TextTower.load(engine, clip, SMALL_CLIP);
    using model = await PromptModel.create(tower, new TokenEmbeddings(clip), text, options());
    const recorded: number[] = [];
    const before = counters.dispatches;
    await trainPrompts({
      model,
      options: options({ epochs: 1 }),
      train: dataOf(1, 12),
      memory: 2 ** 30,
      onStep: () => recorded.push(counters.dispatches - before),
    });
    const [first = 0, second, third] = recorded;
    expect(first).toBeGreaterThan(0);
    // When a step's results arrive, all of the next is recorded, and after the last one there is no more.
    expect([second, third]).toEqual([1.5 * first, 1.5 * first]);
  });
});

describeOnAll('training', (device) => {
  it('takes every image once an epoch and keeps the short last batch', async () => {
    const { steps, epochs } = await run(device(), options());
    expect(steps.map(({ epoch, step }) => [epoch, step])).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2].map((e, s) => [e, s]));
    expect(epochs.map(({ epoch }) => epoch)).toEqual([0, 1, 2]);
    expect(epochs[2]!.trainLoss).toBeLessThan(epochs[0]!.trainLoss);
    expect(epochs[0]!.valAccuracy! * 5).toBeCloseTo(Math.round(epochs[0]!.valAccuracy! * 5), 9);
  });

  it('takes the views of the images in turn by epoch', async () => {
    const data = dataOf(1, 11);
    const views = [dataOf(5, 11).features, dataOf(6, 11).features];
    const all = await run(device(), options(), { train: { ...data, views } });
    // Each epoch goes on from the last on the images of its view.
    let resume: TrainingState | undefined;
    for (const epoch of [0, 1, 2]) {
      const train = { ...data, features: views[epoch % 2]! };
      const { steps, states } = await run(device(), options(), { train, resume, stopAfter: epoch + 1 });
      expect(steps).toEqual(all.steps.filter((step) => step.epoch === epoch));
      resume = states.at(-1);
    }
    expect(resume!.prompts).toEqual(all.prompts);
  });

  it('gives the same result for the same seed, another for another', async () => {
    const [first, second, other] = [
      await run(device(), options({ seed: 5 })),
      await run(device(), options({ seed: 5 })),
      await run(device(), options({ seed: 6 })),
    ];
    expect(second).toEqual(first);
    expect(other.steps).not.toEqual(first.steps);
  });

  it('gives the same bits with a pause before every step, in which the prompts are those after the steps told', async () => {
    const straight = await run(device(), options());
    const told: number[] = [];
    const seen: Float32Array[] = [];
    let steps = 0;
    const beforeStep = (step: number) => async (model: PromptModel) => {
      told.push(steps);
      expect(step).toBe(steps);
      seen.push(await model.prompts.read());
      await evaluateOn(model, dataOf(2, 5), 2 ** 30);
      steps++;
    };
    const paused = await run(device(), options(), { beforeStep });
    expect(paused).toEqual(straight);
    expect(told).toEqual(straight.steps.map(({ step }) => step));
    // Before an epoch's first step, the prompts are those of the last epoch's end.
    expect([seen[3], seen[6]]).toEqual(straight.states.slice(0, 2).map(({ prompts }) => prompts));
    expect(seen[4]).not.toEqual(seen[3]);
  });

  it('tells of the last step before it pauses, and only pauses where it is asked to', async () => {
    const order: string[] = [];
    const engine = new Engine(device());
    using tower = await TextTower.load(engine, clip, SMALL_CLIP);
    using model = await PromptModel.create(tower, new TokenEmbeddings(clip), text, options());
    await trainPrompts({
      ...{ model, options: options({ epochs: 1 }), train: dataOf(1, 11), memory: 2 ** 30 },
      beforeStep: (step) => (step === 2 ? async () => void order.push('pause') : undefined),
      onStep: ({ step }) => order.push(`step ${step}`),
    });
    expect(order).toEqual(['step 0', 'step 1', 'pause', 'step 2']);
  });

  it('ends at once if it is aborted while it pauses', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const endless = run(device(), options(), {
      signal: controller.signal,
      beforeStep: (step) => {
        if (step < 2) return undefined;
        return () => {
          setTimeout(() => controller.abort(reason));
          return new Promise(() => {});
        };
      },
    });
    await expect(endless).rejects.toBe(reason);
  });

  it.each(['sgd', 'adamw'] as const)('resumes to the identical result (%s)', async (optimizer) => {
    const tuning = options({ optimizer });
    const straight = await run(device(), tuning);
    const part = await run(device(), tuning, { stopAfter: 2 });
    expect(part.states).toHaveLength(2);
    const rest = await run(device(), tuning, { resume: part.states[1] });
    expect([...part.steps.slice(0, 6), ...rest.steps]).toEqual(straight.steps);
    expect(rest.states.at(-1)).toEqual(straight.states.at(-1));
  });

  it('keeps the epoch that is best on the validation images, the first of equals, over an interruption too', async () => {
    const tuning = options({ keep: 'best', epochs: 8, learningRate: 5, gamma: 1 });
    const { epochs, states, prompts } = await run(device(), tuning);
    const accuracies = epochs.map(({ valAccuracy }) => valAccuracy!);
    const best = accuracies.indexOf(Math.max(...accuracies));
    // Else the test would show nothing.
    expect(best).toBeLessThan(7);
    expect(prompts).toEqual(states[best]!.prompts);
    expect(prompts).not.toEqual(states[7]!.prompts);
    expect(states[7]!.best).toEqual({ epochs: best + 1, valAccuracy: accuracies[best], prompts });
    const rest = await run(device(), tuning, { resume: states[best] });
    expect(rest.prompts).toEqual(prompts);
    const last = await run(device(), { ...tuning, keep: 'last' });
    expect(last.prompts).toEqual(states[7]!.prompts);
    await expect(run(device(), tuning, { validated: false })).rejects.toThrow(
      /^--keep best: expected validation images/,
    );
  });

  it('stops at a loss that is no number, naming the step', async () => {
    const wild = options({ learningRate: 1e300, optimizer: 'adamw' });
    const failure = run(device(), wild);
    await expect(failure).rejects.toThrow(
      /loss became NaN in epoch 1 of 3, at step [12]: try a smaller --lr than 1e\+300$/,
    );
    await expect(failure).rejects.toBeInstanceOf(TrainingDiverged);
  });

  it.each([
    ['infinite', 1e300, 2],
    ['finite, but beyond what logits can be computed from', 1e25, 3],
  ])("tells of no prompts that an epoch's last update has ruined (%s)", async (_, gamma, epoch) => {
    // One step an epoch; each epoch's learning rate is the last one's times gamma.
    const states: TrainingState[] = [];
    const tuning = options({ mode: 'cs', batchSize: 11, stepSize: 1, gamma });
    await expect(run(device(), tuning, { states, validated: false })).rejects.toThrow(
      `the logits became NaN or infinite in epoch ${epoch} of 3, at step ${epoch - 1}: try a smaller --lr than 0.05`,
    );
    expect(states.map(({ epochs }) => epochs)).toEqual([1, 2].slice(0, epoch - 1));
    for (const { prompts } of states) expect(prompts.every((value) => Number.isFinite(value))).toBe(true);
  });

  it('does not blame the learning rate for features that are no numbers', async () => {
    const train = dataOf(1, 11);
    train.features.fill(Number.NaN);
    const failure = run(device(), options(), { train });
    await expect(failure).rejects.toThrow(/^the loss is NaN before the first update: features or weights are damaged/);
    await expect(failure).rejects.not.toBeInstanceOf(TrainingDiverged);
  });
});

it('both devices train alike', async ({ skip }) => {
  const cpu = await openTestDevice('cpu');
  const gpu = await openTestDevice('webgpu').catch(() => skip('no WebGPU adapter'));
  const [a, b] = [await run(cpu, options()), await run(gpu, options())];
  gpu.dispose();
  for (const [i, { loss }] of a.steps.entries()) expect(Math.abs(b.steps[i]!.loss - loss)).toBeLessThan(1e-4);
  expect(a.steps).toHaveLength(9);
});

it('orders are permutations that differ by seed and epoch', () => {
  const orders = [epochOrder(50, 0, 0), epochOrder(50, 0, 1), epochOrder(50, 1, 0), epochOrder(50, 1, 1)];
  for (const order of orders) expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  expect(new Set(orders.map((order) => order.join())).size).toBe(4);
});
