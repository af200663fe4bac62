/** Prompt tuning against PyTorch: 2 presets x 4 modes, first-step logits and gradient, eight losses, prompts after eight steps. */
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { TextTower, TokenEmbeddings } from '../../src/clip/towers/index.js';
import { normalizedFeatures } from '../../src/ptdpc/features.js';
import { type Mode, type Preset, stepLearningRate, tuningOptions } from '../../src/ptdpc/options.js';
import { PromptModel } from '../../src/ptdpc/prompt-model.js';
import { accumulateGradient, predictLogits } from '../../src/ptdpc/step.js';
import { createOptimizer } from '../../src/ptdpc/train.js';
import { Engine } from '../../src/tensor/index.js';
import { describeOnAll } from '../support/devices.js';
import { fixture, maxError, tensorsOf, tinyClip } from '../support/tiny-clip.js';

interface GoldenCases {
  sot: number;
  eot: number;
  template: number[];
  classes: number[][];
  cases: { name: string; preset: Preset; mode: Mode; losses: number[] }[];
}
const golden = JSON.parse(await readFile(fixture('ptdpc/cases.json'), 'utf8')) as GoldenCases;
const tensors = await tensorsOf('ptdpc/tensors.safetensors');
const GIB = 2 ** 30;

describeOnAll('PT-DPC golden', (device) => {
  for (const { name, preset, mode, losses } of golden.cases) {
    it(name, async () => {
      const { clip, config } = await tinyClip('clip-tiny');
      const engine = new Engine(device());
      using tower = await TextTower.load(engine, clip, config);
      const options = tuningOptions(preset, { mode });
      using model = await PromptModel.create(tower, new TokenEmbeddings(clip), golden, options);
      const raw = await tensors('image_features');
      const batch = {
        features: normalizedFeatures(raw.data, 64),
        labels: Int32Array.from((await tensors('labels')).data),
      };

      expect(await model.prompts.read()).toEqual((await tensors(`${name}.init`)).data);
      const logits = await predictLogits(model, batch.features, GIB);
      expect(maxError(logits, (await tensors(`${name}.logits`)).data)).toBeLessThan(1e-4);

      using optimizer = createOptimizer(model, options);
      for (const [step, expected] of losses.entries()) {
        const { loss } = await accumulateGradient(model, batch, GIB);
        expect(Math.abs(loss - expected), `loss of step ${step}`).toBeLessThan(1e-5);
        if (step === 0) {
          const want = (await tensors(`${name}.grad`)).data;
          const scale = Math.max(...want.map(Math.abs));
          expect(maxError(await model.prompts.grad!.read(), want) / scale).toBeLessThan(1e-4);
        }
        optimizer.step(stepLearningRate(options, step));
        model.prompts.zeroGrad();
      }
      expect(maxError(await model.prompts.read(), (await tensors(`${name}.after8`)).data)).toBeLessThan(1e-4);
    });
  }
});
