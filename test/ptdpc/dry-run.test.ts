/** The programs of a job are compiled before it: nothing is left to compile when it runs. */
import { expect, it } from 'vitest';
import { clipPreprocessing } from '../../src/clip/image/index.js';
import { TextTower, TokenEmbeddings, VisionTower } from '../../src/clip/towers/index.js';
import type { WebGpuBackend } from '../../src/kernels/index.js';
import {
  accumulateGradient,
  callsOf,
  createOptimizer,
  encodePixels,
  PromptModel,
  tuningOptions,
} from '../../src/ptdpc/index.js';
import { Engine } from '../../src/tensor/index.js';
import { describeOn } from '../support/devices.js';
import { randomClip, SMALL_CLIP } from '../support/random-clip.js';

describeOn('webgpu', 'a prepared device', (device) => {
  it('compiles nothing in encoding and in a step of training', async () => {
    const backend = device() as WebGpuBackend;
    const clip = randomClip();
    const text = { sot: 1, eot: 2, template: [3, 4], classes: [[5], [6, 7]] };
    const options = tuningOptions('paper', { batchSize: 2 });
    await backend.prepare(await callsOf('embed', clip, SMALL_CLIP));
    await backend.prepare(await callsOf('train', clip, SMALL_CLIP, { options, text }));
    const prepared = backend.programs;
    expect(prepared).toBeGreaterThan(15);

    const engine = new Engine(backend);
    const { imageSize } = SMALL_CLIP.vision;
    {
      using tower = await VisionTower.load(engine, clip, SMALL_CLIP);
      const pictures = [1, 2].map((pixel) => new Int32Array(imageSize ** 2).fill(pixel));
      await encodePixels(tower, 'joint', pictures, clipPreprocessing(imageSize));
    }
    using tower = await TextTower.load(engine, clip, SMALL_CLIP);
    using model = await PromptModel.create(tower, new TokenEmbeddings(clip), text, options);
    using optimizer = createOptimizer(model, options);
    const features = new Float32Array(2 * SMALL_CLIP.projectionDim).fill(0.3);
    await accumulateGradient(model, { features, labels: Int32Array.of(0, 1) }, 2 ** 30);
    optimizer.step(0.1);
    await model.prompts.read();
    model.prompts.zeroGrad();
    expect(backend.programs).toBe(prepared);
  });
});
