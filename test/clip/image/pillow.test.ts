/** Decoding and preprocessing together, against what Pillow makes of the same files; see the fixtures' README. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  decodeImage,
  modelPixels,
  normalizePixels,
  type Preprocessing,
  pixelValues,
  preprocess,
} from '../../../src/clip/image/index.js';
import { casesIn, differences, fixture } from './fixtures.js';
import './codecs.js';

const cases = [...casesIn(''), ...casesIn('small/')];

describe('pixels that CLIP sees', () => {
  it.each(cases)('$input at $size: equal to Pillow', async ({ input, expected, size }) => {
    const reference = await decodeImage(fixture(expected), expected);
    expect(reference).toMatchObject({ width: size, height: size, mode: 'RGB' });
    const pixels = preprocess(await decodeImage(fixture(input), input), size);
    expect(differences(pixels, reference.data)).toEqual({ mean: 0, max: 0 });
  });

  it('does not change the decoded image', async () => {
    for (const name of ['09_300x451_RGBA.png', '02_224x224_RGB.png']) {
      const image = await decodeImage(fixture(name), name);
      const before = image.data.slice();
      preprocess(image, 224);
      expect(differences(image.data, before).max).toBe(0);
    }
  });
});

/** Squashed, bilinear, cropped from a larger square, other means: what torchvision makes on Pillow images of the fixtures. */
describe('pixels that other models see', () => {
  interface ModelCase {
    readonly input: string;
    readonly how: Preprocessing;
    /** Base64 of [size, size, 3], and of the first few float32 of [3, size, size]. */
    readonly rgb: string;
    readonly values: string;
  }
  const models = JSON.parse(new TextDecoder().decode(fixture('models.json'))) as ModelCase[];

  it.each(models)('$input, $how.shape to $how.resize, $how.filter, RGB $how.toRgb: equal to Pillow', async (model) => {
    const { input, how } = model;
    const image = await decodeImage(fixture(input), input);
    const expected = new Uint8Array(Buffer.from(model.rgb, 'base64'));
    expect(differences(preprocess(image, how), expected)).toEqual({ mean: 0, max: 0 });
    const values = new Float32Array(new Uint8Array(Buffer.from(model.values, 'base64')).buffer);
    const rgb = preprocess(image, how);
    expect(normalizePixels(rgb, how.size, how).subarray(0, values.length)).toEqual(values);
    const pixels = modelPixels(image, how);
    expect([...pixels].flatMap((pixel) => [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255])).toEqual([...rgb]);
    // The first numbers are all of the first channel.
    expect(Array.from(values, (_, i) => pixelValues(how)[pixels[i]! & 255])).toEqual([...values]);
  });
});

/** All files at the real size, by torchvision: bilinear to 256 and cropped, as its own models want; bicubic to 248, timm's BEiT; squashed bilinearly. */
describe('pixels that image encoders see', () => {
  interface EncoderCase {
    readonly how: Preprocessing;
    /** The first 64 bits for each file. */
    readonly sha256: Readonly<Record<string, string>>;
  }
  const encoders = JSON.parse(new TextDecoder().decode(fixture('encoders.json'))) as EncoderCase[];

  it.each(encoders)(
    '$how.shape to $how.resize, $how.filter: equal to Pillow in every file',
    async ({ how, sha256 }) => {
      expect(Object.keys(sha256).sort()).toEqual(cases.map(({ input }) => input).sort());
      const found: Record<string, string> = {};
      for (const name of Object.keys(sha256)) {
        const pixels = preprocess(await decodeImage(fixture(name), name), how);
        found[name] = createHash('sha256').update(pixels).digest('hex').slice(0, 16);
      }
      expect(found).toEqual(sha256);
    },
  );
});
