/** `--memory`: whatever is computed, the device never holds more than the weights and the budget. */
import { expect, it } from 'vitest';
import { TextTower, TokenEmbeddings } from '../../src/clip/towers/index.js';
import { normalizedFeatures } from '../../src/ptdpc/features.js';
import { tuningOptions } from '../../src/ptdpc/options.js';
import { PromptModel } from '../../src/ptdpc/prompt-model.js';
import { accumulateGradient, predictLogits } from '../../src/ptdpc/step.js';
import { createOptimizer } from '../../src/ptdpc/train.js';
import { Engine } from '../../src/tensor/index.js';
import { describeOnAll, openTestDevice } from '../support/devices.js';
import { randomReals } from '../support/random.js';
import { randomClip, SMALL_CLIP } from '../support/random-clip.js';

const MIB = 2 ** 20;
const WIDTH = 64;
const config = {
  ...SMALL_CLIP,
  projectionDim: WIDTH,
  text: { ...SMALL_CLIP.text, width: WIDTH, heads: 1, intermediate: 4 * WIDTH },
};
const clip = randomClip(config);

/** `classes` classes of one or two words. */
const textOf = (classes: number) => ({
  ...{ sot: 58, eot: 59, template: [4, 9, 7] },
  classes: Array.from({ length: classes }, (_, c) => (c % 2 ? [1 + (c % 50)] : [2, 1 + (c % 50)])),
});

describeOnAll('memory budget', (device) => {
  // A few classes and many images; more classes than one image may have at once; a prompt per class.
  for (const [mode, classes, images] of [
    ['both', 6, 160],
    ['both', 600, 2],
    ['cs', 300, 40],
  ] as const) {
    for (const mebibytes of [6, 20]) {
      it(`mode ${mode}, ${classes} classes, ${images} images, ${mebibytes} MiB`, async () => {
        const backend = await openTestDevice(device().kind, { poison: false });
        const engine = new Engine(backend);
        using tower = await TextTower.load(engine, clip, config);
        const options = tuningOptions('paper', { mode });
        using model = await PromptModel.create(tower, new TokenEmbeddings(clip), textOf(classes), options);
        const weights = backend.memory.bytes;
        const features = normalizedFeatures(randomReals(5)(images * WIDTH), WIDTH);
        const labels = Int32Array.from({ length: images }, (_, i) => (7 * i) % classes);
        const budget = mebibytes * MIB;
        using _limit = engine.workWithin(budget);
        using optimizer = createOptimizer(model, options);
        for (let step = 0; step < 2; step++) {
          await accumulateGradient(model, { features, labels }, budget);
          optimizer.step(0.01);
          model.prompts.zeroGrad();
        }
        await predictLogits(model, features, budget);
        const held = backend.memory.peakHeldBytes - weights;
        expect(held).toBeLessThanOrEqual(budget);
        // The budget is of use: with the smaller one, this is work for several pieces.
        if (mebibytes === 6) expect(held).toBeGreaterThan(budget / 3);
        backend.dispose();
      }, 60_000);
    }
  }
});
