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
    const logits = await zeroShotLogits(tower, new TokenEmbeddings(clip), tokenizer, texts, features, 2 ** 28);
    expect(expected.shape).toEqual([features.length / 64, texts.length]);
    expect(maxError(logits, expected.data)).toBeLessThan(1e-4);
  });

  it('averages the normalised features of several texts of a class, and normalises again', async () => {
    const { clip, config } = await tinyClip('clip-tiny');
    const tokens: Record<string, number[]> = { a: [998, 5, 6, 999], b: [998, 17, 999], c: [998, 40, 41, 42, 999] };
    const tokenizer = { encodeText: (text: string) => tokens[text]! };
    const image = normalizedFeatures(
      (await tensorsOf('clip-tiny/expected.safetensors').then((t) => t('image_features'))).data,
      64,
    );
    using tower = await TextTower.load(new Engine(device()), clip, config);
    const embeddings = new TokenEmbeddings(clip);
    const logits = await zeroShotLogits(tower, embeddings, tokenizer, [['a', 'b', 'c'], ['b']], image, 2 ** 28);
    expect(
      maxError(logits, await zeroShotLogits(tower, embeddings, tokenizer, [['c', 'a', 'b'], 'b'], image, 2 ** 28)),
    ).toBeLessThan(1e-4);

    // Each text by itself, then as the definition says, in float64.
    const features: number[][] = [];
    for (const name of ['a', 'b', 'c']) {
      using encoded = await tower.encodeTokens([tokens[name]!], embeddings);
      features.push(unit([...(await encoded.read())]));
    }
    const mean = unit(features[0]!.map((_, d) => features.reduce((sum, row) => sum + row[d]! / 3, 0)));
    const expected = Array.from({ length: image.length / 64 }, (_, i) =>
      [mean, features[1]!].map(
        (text) => tower.logitScale * text.reduce((sum, x, d) => sum + x * image[i * 64 + d]!, 0),
      ),
    ).flat();
    expect(maxError(logits, Float32Array.from(expected))).toBeLessThan(1e-4);
  });
});

/** A vector of length 1. */
function unit(row: readonly number[]): number[] {
  const length = Math.hypot(...row);
  return row.map((x) => x / length);
}
