/** The training loop: same seed same result, resuming equals going on, both devices agree, bad losses stop it. */
import { expect, it } from 'vitest';
import { TextTower, TokenEmbeddings } from '../../src/clip/towers/index.js';
import type { Backend } from '../../src/kernels/index.js';
import { normalizedFeatures } from '../../src/ptdpc/features.js';
import { type TuningOptions, tuningOptions } from '../../src/ptdpc/options.js';
import { PromptModel } from '../../src/ptdpc/prompt-model.js';
import { epochOrder } from '../../src/ptdpc/random.js';
import { type EpochMetrics, type StepMetrics, type TrainingState, trainPrompts } from '../../src/ptdpc/train.js';
import { Engine } from '../../src/tensor/index.js';
import { describeOnAll, openTestDevice } from '../support/devices.js';
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

async function run(device: Backend, tuning: TuningOptions, resume?: TrainingState, stopAfter = 99) {
  const engine = new Engine(device);
  using tower = await TextTower.load(engine, clip, SMALL_CLIP);
  using model = await PromptModel.create(tower, new TokenEmbeddings(clip), text, tuning);
  const steps: StepMetrics[] = [];
  const epochs: EpochMetrics[] = [];
  const states: TrainingState[] = [];
  const controller = new AbortController();
  const done = trainPrompts({
    model,
    options: tuning,
    train: dataOf(1, 11),
    validation: dataOf(2, 5),
    memory: 2 ** 30,
    resume,
    signal: controller.signal,
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
  return { steps, epochs, states };
}

describeOnAll('training', (device) => {
  it('takes every image once an epoch and keeps the short last batch', async () => {
    const { steps, epochs } = await run(device(), options());
    expect(steps.map(({ epoch, step }) => [epoch, step])).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2].map((e, s) => [e, s]));
    expect(epochs.map(({ epoch }) => epoch)).toEqual([0, 1, 2]);
    expect(epochs[2]!.trainLoss).toBeLessThan(epochs[0]!.trainLoss);
    expect(epochs[0]!.valAccuracy! * 5).toBeCloseTo(Math.round(epochs[0]!.valAccuracy! * 5), 9);
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

  it.each(['sgd', 'adamw'] as const)('resumes to the identical result (%s)', async (optimizer) => {
    const tuning = options({ optimizer });
    const straight = await run(device(), tuning);
    const part = await run(device(), tuning, undefined, 2);
    expect(part.states).toHaveLength(2);
    const rest = await run(device(), tuning, part.states[1]);
    expect([...part.steps.slice(0, 6), ...rest.steps]).toEqual(straight.steps);
    expect(rest.states.at(-1)).toEqual(straight.states.at(-1));
  });

  it('stops at a loss that is no number, naming the step', async () => {
    const wild = options({ learningRate: 1e300, optimizer: 'adamw' });
    await expect(run(device(), wild)).rejects.toThrow(/loss became NaN at epoch 0, step \d+: try a smaller --lr/);
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
