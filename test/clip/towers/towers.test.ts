/** Both towers against features computed with PyTorch, on every device. */
import { expect, it } from 'vitest';
import { TextTower, TokenEmbeddings, VisionTower } from '../../../src/clip/towers/index.js';
import { Engine } from '../../../src/tensor/index.js';
import { describeOnAll } from '../../support/devices.js';
import { maxError, tensorsOf, tinyClip } from '../../support/tiny-clip.js';

/** The measure of the towers' error: the largest deviation in units of the feature's length. */
function featureError(actual: Float32Array, expected: Float32Array, width: number): number {
  let worst = 0;
  for (let at = 0; at < expected.length; at += width) {
    const row = expected.subarray(at, at + width);
    worst = Math.max(worst, maxError(actual.subarray(at, at + width), row) / Math.hypot(...row));
  }
  return actual.length === expected.length ? worst : Number.NaN;
}

for (const name of ['clip-tiny', 'clip-tiny-gelu'] as const) {
  describeOnAll(`towers of ${name}`, (device) => {
    it('image features', async () => {
      const { clip, config } = await tinyClip(name);
      const expected = await tensorsOf(`${name}/expected.safetensors`);
      const engine = new Engine(device());
      using tower = await VisionTower.load(engine, clip, config);
      const pixels = await expected('pixel_values');
      const { pooled, features } = engine.scope(() => tower.encode(engine.tensor(pixels.data, pixels.shape)));
      const [pooledData, featureData] = [await pooled.read(), await features.read()];
      expect(featureError(pooledData, (await expected('image_pooled')).data, 128)).toBeLessThan(1e-5);
      expect(featureError(featureData, (await expected('image_features')).data, 64)).toBeLessThan(1e-5);
      pooled.dispose();
      features.dispose();
    });

    it('text features', async () => {
      const { clip, config } = await tinyClip(name);
      const expected = await tensorsOf(`${name}/expected.safetensors`);
      const engine = new Engine(device());
      using tower = await TextTower.load(engine, clip, config);
      const ids = await expected('token_ids');
      const sequences = Array.from({ length: 7 }, (_, text) => {
        const padded = [...ids.data.subarray(text * 77, (text + 1) * 77)];
        return padded.slice(0, padded.indexOf(999) + 1);
      });
      const features = await tower.encodeTokens(sequences, new TokenEmbeddings(clip));
      expect(featureError(await features.read(), (await expected('text_features')).data, 64)).toBeLessThan(1e-5);
      features.dispose();
    });
  });
}
