/** The linear probe against the same training written out in float64, its determinism, and the choice of a rate. */
import { expect, it } from 'vitest';
import {
  evaluateProbe,
  type LabelledFeatures,
  type ProbeEpoch,
  type ProbeOptions,
  probeCell,
  probeOptions,
  trainProbe,
} from '../../src/ptdpc/index.js';
import { holdOut } from '../../src/ptdpc/learning-rate.js';
import { epochOrder } from '../../src/ptdpc/random.js';
import { Engine } from '../../src/tensor/index.js';
import { describeOnAll } from '../support/devices.js';
import { randomReals } from '../support/random.js';
import { maxError } from '../support/tiny-clip.js';

const [WIDTH, CLASSES, MEMORY] = [6, 3, 2 ** 28];

/** Clouds around one axis each. */
function clouds(count: number, seed: number): LabelledFeatures {
  const labels = Int32Array.from({ length: count }, (_, i) => i % CLASSES);
  const features = randomReals(seed)(count * WIDTH).map((x) => 0.6 * x);
  labels.forEach((label, i) => {
    features[i * WIDTH + label]! += 1;
  });
  return { features, labels };
}

/** Plain SGD with momentum on softmax regression with L2, from the probe that no epoch has changed. */
function naive(start: { weight: Float32Array; bias: Float32Array }, data: LabelledFeatures, options: ProbeOptions) {
  const [weight, bias] = [Array.from(start.weight), Array.from(start.bias)];
  const velocity = { weight: weight.map(() => 0), bias: bias.map(() => 0) };
  const count = data.labels.length;
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    const order = epochOrder(count, options.seed, epoch);
    const rate = options.learningRate * options.gamma ** Math.floor(epoch / options.stepSize);
    for (let at = 0; at < count; at += options.batchSize) {
      const batch = order.subarray(at, Math.min(count, at + options.batchSize));
      const gradW = weight.map((w) => options.l2 * w);
      const gradB = bias.map(() => 0);
      for (const image of batch) {
        const x = Array.from(data.features.subarray(image * WIDTH, (image + 1) * WIDTH));
        const logits = bias.map((b, c) => x.reduce((sum, value, d) => sum + value * weight[c * WIDTH + d]!, b));
        const exps = logits.map((value) => Math.exp(value));
        const total = exps.reduce((a, b) => a + b);
        exps.forEach((value, c) => {
          const error = (value / total - Number(c === data.labels[image])) / batch.length;
          gradB[c]! += error;
          for (const [d, feature] of x.entries()) gradW[c * WIDTH + d]! += error * feature;
        });
      }
      for (const [values, moved, grad] of [
        [weight, velocity.weight, gradW],
        [bias, velocity.bias, gradB],
      ] as const) {
        for (const [i, g] of grad.entries()) {
          moved[i] = 0.9 * moved[i]! + g;
          values[i]! -= rate * moved[i]!;
        }
      }
    }
  }
  return { weight, bias };
}

describeOnAll('linear probe', (device) => {
  const data = clouds(50, 1);
  const cell = (options: ProbeOptions) => ({
    engine: new Engine(device()),
    ...{ options, train: data, width: WIDTH, classes: CLASSES, memory: MEMORY },
  });

  it('is softmax regression by SGD with momentum, StepLR and L2', async () => {
    const options = probeOptions({ epochs: 4, batchSize: 16, stepSize: 2, l2: 0.05, seed: 7 });
    // A rate too small to move a float32 leaves the start.
    const start = await trainProbe(cell({ ...options, epochs: 1, learningRate: 1e-30 }));
    expect(Math.max(...start.weight.map(Math.abs))).toBeLessThanOrEqual(1 / Math.sqrt(WIDTH));
    const epochs: ProbeEpoch[] = [];
    const probe = await trainProbe({ ...cell(options), onEpoch: (metrics) => void epochs.push(metrics) });
    const expected = naive(start, data, options);
    expect(maxError(probe.weight, expected.weight)).toBeLessThan(1e-5);
    expect(maxError(probe.bias, expected.bias)).toBeLessThan(1e-5);
    expect(epochs.map(({ learningRate }) => learningRate)).toEqual([0.1, 0.1, 0.1 * 0.9, 0.1 * 0.9]);
    expect(epochs[3]!.trainLoss).toBeLessThan(epochs[0]!.trainLoss);
  });

  it('separates the clouds, the same for the same seed', async () => {
    const options = probeOptions({ epochs: 10, batchSize: 8, optimizer: 'adamw' });
    const [one, again] = [await trainProbe(cell(options)), await trainProbe(cell(options))];
    const other = await trainProbe(cell({ ...options, seed: 1 }));
    expect(again).toEqual(one);
    expect(other.weight).not.toEqual(one.weight);
    expect((await evaluateProbe(new Engine(device()), one, clouds(40, 2), 2 ** 26)).accuracy).toBeGreaterThan(0.8);
  });

  it('takes the rate that does best on the validation images, and never looks at the test images for it', async () => {
    const options = probeOptions({ epochs: 3, batchSize: 8 });
    const validation = clouds(30, 3);
    const request = { ...cell(options), rates: [1e-6, 0.5, 1e38], validation };
    const a = await probeCell({ ...request, test: clouds(40, 4) });
    expect(a.choice.map(({ learningRate }) => learningRate)).toEqual([1e-6, 0.5]);
    expect(a.learningRate).toBe(0.5);
    const wrong = { ...clouds(40, 4), labels: Int32Array.from({ length: 40 }, (_, i) => (i + 1) % CLASSES) };
    const b = await probeCell({ ...request, test: wrong });
    expect([b.learningRate, b.probe]).toEqual([a.learningRate, a.probe]);
    expect(a.evaluation.count).toBe(40);
  });

  it('holds out a tenth of the training images where there are no validation images, and trains on all in the end', async () => {
    const options = probeOptions({ epochs: 3, batchSize: 8 });
    const test = clouds(40, 4);
    const chosen = await probeCell({ ...cell(options), rates: [1e-6, 0.5], test });
    expect(chosen.learningRate).toBe(0.5);
    expect(chosen.choice.map(({ learningRate }) => learningRate)).toEqual([1e-6, 0.5]);
    const onAll = await trainProbe(cell({ ...options, learningRate: 0.5 }));
    expect(chosen.probe).toEqual(onAll);
    // The accuracies are of the held-out images: five or six of 50, in three classes.
    const { held } = holdOut(
      Array.from(data.labels, (label) => ({ label })),
      options.seed,
    );
    for (const { valAccuracy } of chosen.choice) expect((valAccuracy * held.length) % 1).toBeCloseTo(0, 9);
    const single = { features: data.features.subarray(0, WIDTH * CLASSES), labels: Int32Array.from([0, 1, 2]) };
    const alone = { ...cell(options), train: single, rates: [0.1, 0.5], test };
    await expect(probeCell(alone)).rejects.toThrow(/^--lr auto: expected validation images, or a class with two/);
  });
});

it('options out of range are named', () => {
  expect(() => probeOptions({ l2: -1 })).toThrow(/^--l2: expected a number from 0, found -1/);
  expect(() => probeOptions({ epochs: 0 })).toThrow(/^--epochs: /);
  expect(probeOptions()).toMatchObject({ optimizer: 'sgd', learningRate: 0.1, epochs: 10, batchSize: 64, l2: 0 });
});
