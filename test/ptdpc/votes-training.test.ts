/** Training on votes: the gradient of the divergence at the prompts, in any memory budget, and what becomes of images without votes. */
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { TextTower, TokenEmbeddings } from '../../src/clip/towers/index.js';
import { CONTEXT_LEARNERS, type ContextLearner, contextOptions, promptSetup } from '../../src/learners/index.js';
import { planBatch } from '../../src/ptdpc/budget.js';
import { normalizedFeatures } from '../../src/ptdpc/features.js';
import type { LabelledFeatures } from '../../src/ptdpc/labelled-features.js';
import { type Mode, type TuningOptions, tuningOptions } from '../../src/ptdpc/options.js';
import { PromptModel, type PromptModelOptions } from '../../src/ptdpc/prompt-model.js';
import type { PromptText } from '../../src/ptdpc/prompt-text.js';
import { accumulateGradient } from '../../src/ptdpc/step.js';
import { type EpochMetrics, trainPrompts } from '../../src/ptdpc/train.js';
import { Engine } from '../../src/tensor/index.js';
import { describeOnAll } from '../support/devices.js';
import { fixture, maxError, tensorsOf, tinyClip } from '../support/tiny-clip.js';

const text = JSON.parse(await readFile(fixture('ptdpc/cases.json'), 'utf8')) as PromptText;
const tensors = await tensorsOf('ptdpc/tensors.safetensors');
const GIB = 2 ** 30;
const classes = text.classes.length;
const features = normalizedFeatures((await tensors('image_features')).data, 64);
const labels = Int32Array.from((await tensors('labels')).data);
/** Half of the votes for the label, a third for the next class, the rest for the one after it. */
const SHARES = [1 / 2, 1 / 3, 1 / 6];
const votes = new Float32Array(labels.length * classes);
labels.forEach((label, i) => {
  SHARES.forEach((share, k) => {
    votes[i * classes + ((label + k) % classes)]! += share;
  });
});
const batch: LabelledFeatures = { features, labels, votes };

describeOnAll('training on votes', (device) => {
  async function withModel<T>(
    options: Partial<TuningOptions> | PromptModelOptions,
    use: (model: PromptModel) => Promise<T>,
  ): Promise<T> {
    const { clip, config } = await tinyClip('clip-tiny');
    using tower = await TextTower.load(new Engine(device()), clip, config);
    const how: PromptModelOptions = { ...tuningOptions('paper'), ...options };
    const anchors = how.guide && normalizedFeatures(new Float32Array(classes * 64).fill(1), 64);
    using model = await PromptModel.create(tower, new TokenEmbeddings(clip), text, how, { anchors });
    return await use(model);
  }
  const gradientOf = (options: Partial<TuningOptions> | PromptModelOptions, images: LabelledFeatures, memory = GIB) =>
    withModel(options, async (model) => {
      const { loss } = await accumulateGradient(model, images, memory);
      const gradient = await model.prompts.grad!.read();
      model.prompts.zeroGrad();
      return { loss, gradient, plan: planBatch(model, images.labels.length, memory, model.tower.trainingBytesPerRow) };
    });

  for (const mode of ['both', 'cs'] satisfies Mode[]) {
    it(`${mode}: the loss and its gradient are those of cross-entropy, weighted by the votes`, async () => {
      const { loss, gradient } = await gradientOf({ mode, loss: 'kl' }, batch);
      let expectedLoss = SHARES.reduce((sum, share) => sum + share * Math.log(share), 0);
      const expected = new Float64Array(gradient.length);
      for (const [k, share] of SHARES.entries()) {
        const others = { features, labels: labels.map((label) => (label + k) % classes) };
        const one = await gradientOf({ mode, loss: 'ce' }, others);
        expectedLoss += share * one.loss;
        one.gradient.forEach((value, d) => {
          expected[d]! += share * value;
        });
      }
      expect(loss).toBeCloseTo(expectedLoss, 4);
      const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      expect(maxError(gradient, Float32Array.from(expected)) / scale).toBeLessThan(1e-3);
    });
  }

  it.each(Object.keys(CONTEXT_LEARNERS) as ContextLearner[])('%s: votes of one mind are labels', async (learner) => {
    const sure = new Float32Array(votes.length);
    labels.forEach((label, i) => {
      sure[i * classes + label] = 1;
    });
    const of = (loss: 'ce' | 'kl', images: LabelledFeatures) =>
      gradientOf(promptSetup(contextOptions(learner, { loss, initWords: 'a photo of a' })).model, images);
    const [kl, ce, other] = [
      await of('kl', { features, labels, votes: sure }),
      await of('ce', { features, labels }),
      await of('kl', batch),
    ];
    expect(kl.loss).toBeCloseTo(ce.loss, 4);
    const scale = ce.gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(scale).toBeGreaterThan(0);
    expect(maxError(kl.gradient, ce.gradient) / scale).toBeLessThan(1e-3);
    expect(maxError(other.gradient, ce.gradient) / scale).toBeGreaterThan(0.1);
  });

  it('is the same where classes and images do not fit at once', async () => {
    const whole = await gradientOf({ mode: 'both', loss: 'kl' }, batch);
    expect(whole.plan.whole).toBe(true);
    // Room for half of the classes of one image.
    const memory = await withModel({ loss: 'kl' }, ({ engine, frozen, prompts, tower }) => {
      const rows = frozen.prefix + frozen.suffixes.reduce((sum, { length }) => sum + length, 0) / 2;
      const { fixedBytes } = engine.backend.memory;
      const beside = fixedBytes + tower.largestWeightBytes + 28 * prompts.size;
      return Promise.resolve(beside + (Math.ceil(rows) * tower.trainingBytesPerRow) / 0.8 + 1);
    });
    const small = await gradientOf({ mode: 'both', loss: 'kl' }, batch, memory);
    expect(small.plan.whole).toBe(false);
    expect(small.loss).toBeCloseTo(whole.loss, 4);
    const scale = whole.gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(maxError(small.gradient, whole.gradient) / scale).toBeLessThan(1e-4);
  });

  it('brings predictions nearer to the votes; losses of training and validation are the same measure', async () => {
    const epochs: EpochMetrics[] = [];
    const options = tuningOptions('paper', { loss: 'kl', epochs: 4, batchSize: 5, learningRate: 0.01 });
    await withModel(options, (model) =>
      trainPrompts({
        ...{ model, options, train: batch, validation: batch, memory: GIB },
        onEpoch: (metrics) => {
          epochs.push(metrics);
        },
      }),
    );
    expect(epochs.at(-1)!.valLoss!).toBeLessThan(epochs[0]!.trainLoss);
    // The last epoch's steps lie between its start, which the epoch before was validated at, and its end.
    const [start, { trainLoss, valLoss }] = [epochs.at(-2)!.valLoss!, epochs.at(-1)!];
    expect(Math.abs(trainLoss - (start + valLoss!) / 2)).toBeLessThan(Math.abs(start - valLoss!) + 0.02);
  });

  it('refuses images without votes', async () => {
    await expect(gradientOf({ loss: 'kl' }, { features, labels })).rejects.toThrow(
      /^--loss kl: expected images with votes for their classes \(docs\/datasets\.md\), found labels only/,
    );
  });
});
