/** Zero-shot logits against the golden ones of PyTorch, and the texts they are made from. */
import { expect, it } from 'vitest';
import { TextTower, TokenEmbeddings } from '../../src/clip/towers/index.js';
import { normalizedFeatures } from '../../src/ptdpc/features.js';
import { classText, zeroShotLogits } from '../../src/ptdpc/zero-shot.js';
import { Engine } from '../../src/tensor/index.js';
import { describeOnAll } from '../support/devices.js';
import { maxError, tensorsOf, tinyClip } from '../support/tiny-clip.js';

it('the class word stands where {} does, or last', () => {
  expect(classText('a photo of', 'great joy')).toBe('a photo of great joy');
  expect(classText('{}, a {} scene.', 'awe')).toBe('awe, a awe scene.');
});

describeOnAll('zero-shot', (device) => {
  it("gives PyTorch's logits of images and texts", async () => {
    const { clip, config } = await tinyClip('clip-tiny');
    const golden = await tensorsOf('clip-tiny/expected.safetensors');
    const ids = (await golden('token_ids')).data;
    // The texts of the golden file are known by their tokens only: here a text is its number.
    const tokenizer = {
      encodeText: (text: string) => {
        const padded = [...ids.subarray(Number(text) * 77, (Number(text) + 1) * 77)];
        return padded.slice(0, padded.indexOf(999) + 1);
      },
    };
    const texts = Array.from({ length: ids.length / 77 }, (_, text) => String(text));
    const features = normalizedFeatures((await golden('image_features')).data, 64);
    const expected = await golden('logits_per_image');
    using tower = await TextTower.load(new Engine(device()), clip, config);
    const logits = await zeroShotLogits(tower, new TokenEmbeddings(clip), tokenizer, texts, features);
    expect(expected.shape).toEqual([features.length / 64, texts.length]);
    expect(maxError(logits, expected.data)).toBeLessThan(1e-4);
  });
});
