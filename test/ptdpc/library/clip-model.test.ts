/** The library's front gives what the functions below it give, and refuses what they could not make sense of. */
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { blobSource } from '../../../src/clip/checkpoint/index.js';
import {
  clipPreprocessing,
  type DecodedImage,
  imageFromCanvas,
  normalizePixels,
  type Preprocessing,
  preprocess,
} from '../../../src/clip/image/index.js';
import { InputError } from '../../../src/errors.js';
import { hashFiles } from '../../../src/node/file-source.js';
import {
  ClipModel,
  evaluate,
  type ModelSource,
  normalizedFeatures,
  openModel,
  requireSameModel,
  similarities,
  type TrainingState,
  tuningOptions,
} from '../../../src/ptdpc/index.js';
import { tinyVocabulary } from '../../cli/tiny-vocabulary.js';
import { describeOn, describeOnAll } from '../../support/devices.js';
import { randomReals } from '../../support/random.js';
import { fixture, maxError, tensorsOf } from '../../support/tiny-clip.js';

const WEIGHTS = fixture('clip-tiny/model.safetensors');
const CLASSES = ['awe', 'great joy', 'sadness'];

async function tinyModel(): Promise<ModelSource> {
  const config = await readFile(fixture('clip-tiny/config.json'), 'utf8');
  const weights = await readFile(WEIGHTS);
  return openModel({ config, weights, vocabulary: new TextEncoder().encode(tinyVocabulary) });
}

/** Noise of 40 x 30, with more of one colour. */
function picture(channel: number, seed: number): DecodedImage {
  const noise = randomReals(seed)(40 * 30 * 3);
  const data = Uint8Array.from(noise, (x, i) => 60 + 50 * x + (i % 3 === channel ? 90 : 0));
  return { width: 40, height: 30, mode: 'RGB', data };
}

const pictures = (count: number, first = 0) => Array.from({ length: count }, (_, i) => picture(i % 3, first + i));
const labels = (count: number) => Int32Array.from({ length: count }, (_, i) => i % 3);

/** Rows of length 1. */
function normalized(rows: Float32Array, width: number): Float32Array {
  return Float32Array.from(rows, (x, i) => {
    const start = i - (i % width);
    return x / Math.hypot(...rows.subarray(start, start + width));
  });
}

describeOnAll('ClipModel', (device) => {
  it('embeds texts as PyTorch does, whatever the memory', async () => {
    const expected = await tensorsOf('clip-tiny/expected.safetensors');
    const source = await tinyModel();
    const { data: ids, shape } = await expected('token_ids');
    const { data: features } = await expected('text_features');
    // The golden ids are no text of this vocabulary: they come by way of the tokenizer's place.
    const sequences = Array.from({ length: shape[0]! }, (_, i) => {
      const row = Array.from(ids.subarray(i * shape[1]!, (i + 1) * shape[1]!));
      return row.slice(0, row.indexOf(Math.max(...row)) + 1);
    });
    const tokenizer = { encodeText: (text: string) => sequences[Number(text)]! } as unknown as Awaited<
      ReturnType<ModelSource['tokenizer']>
    >;
    const texts = sequences.map((_, i) => String(i));
    const clipWithin = (memory: number) =>
      new ClipModel({ backend: device() }, { ...source, tokenizer: () => Promise.resolve(tokenizer) }, { memory });
    using clip = clipWithin(2 ** 30);
    const { inferenceBytesPerRow, largestWeightBytes } = await clip.textTower();
    const longest = Math.max(...sequences.map(({ length }) => length));
    const oneText = (longest * inferenceBytesPerRow) / 0.8 + 1;
    const rest = device().memory.fixedBytes + largestWeightBytes;
    using tight = clipWithin(rest + oneText);
    for (const model of [clip, tight])
      expect(maxError(await model.embedTexts(texts), normalized(features, clip.width))).toBeLessThan(1e-5);
    using less = clipWithin(rest + oneText / 2);
    await expect(less.embedTexts(texts)).rejects.toThrow(
      /^--memory: encoding one text with this model needs \d\.\d MiB/,
    );
  });

  it('tunes, predicts, saves, and takes up again', async () => {
    using clip = new ClipModel({ backend: device() }, await tinyModel());
    const train = { features: await clip.embedImages(pictures(12)), labels: labels(12) };
    const options = tuningOptions('official', { epochs: 2, batchSize: 4 });
    const epochs: number[] = [];
    using tuned = await clip.tune({
      classes: CLASSES,
      train,
      options,
      onEpoch: ({ epoch }) => void epochs.push(epoch),
    });
    expect(epochs).toEqual([0, 1]);
    const { logits, probabilities, predicted } = await tuned.predict(train.features);
    expect((await tuned.evaluate(train)).accuracy).toBe(evaluate(logits, train.labels, 3).accuracy);
    expect(Math.max(...predicted)).toBeLessThan(3);
    expect(probabilities.slice(0, 3).reduce((a, b) => a + b)).toBeCloseTo(1, 5);

    using restored = await clip.restorePrompts(await tuned.save());
    expect(restored.words).toEqual(CLASSES);
    expect(restored.epochs).toBe(2);
    expect((await restored.predict(train.features)).logits).toEqual(logits);
    const [image] = await restored.explain(train.features);
    expect(image!.weights).toHaveLength(3);
    const { prompts, tokens } = await restored.nearestWords({ top: 2 });
    expect([prompts.length, prompts[0]!.tokens.length, prompts[0]!.tokens[0]!.nearest.length]).toEqual([
      3,
      tokens.length,
      2,
    ]);
  });
});

describeOn('cpu', 'ClipModel', (device) => {
  it('embeds pictures alike, drawn, on a canvas, or by a generator', async () => {
    using clip = new ClipModel({ backend: device() }, await tinyModel());
    const rgb = pictures(40);
    const expected = await clip.embedImages(rgb);
    expect(expected).toHaveLength(40 * clip.width);
    expect(Math.hypot(...expected.subarray(0, clip.width))).toBeCloseTo(1, 5);
    const onCanvas = rgb.map(({ width, height, data }) => {
      const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
      for (let p = 0; p < width * height; p++) rgba.set(data.subarray(3 * p, 3 * p + 3), 4 * p);
      return imageFromCanvas({ width, height, data: rgba });
    });
    expect(await clip.embedImages(onCanvas)).toEqual(expected);
    async function* one() {
      yield* rgb;
    }
    const done: number[] = [];
    expect(await clip.embedImages(one(), { onProgress: (images) => done.push(images) })).toEqual(expected);
    expect(done).toEqual([32, 8]);
    // As the original's preprocessing and PyTorch see a picture.
    const golden = await tensorsOf('clip-tiny/expected.safetensors');
    expect((await golden('image_features')).shape[1]).toBe(clip.width);
  });

  it("prepares pictures as the files of the model say, and knows prompts of the other way as another model's", async () => {
    const files = {
      'config.json': await readFile(fixture('clip-tiny/config.json'), 'utf8'),
      'preprocessor_config.json': JSON.stringify({
        image_mean: [0.5, 0.5, 0.5],
        size: { height: 32, width: 32 },
        resample: 2,
      }),
    };
    const source = await openModel({ config: files, weights: await readFile(WEIGHTS) });
    using clip = new ClipModel({ backend: device() }, source);
    const [image] = pictures(1);
    const how: Preprocessing = {
      ...clipPreprocessing(32),
      ...{ mean: [0.5, 0.5, 0.5], shape: 'squash', filter: 'bilinear' },
    };
    const pixels = normalizePixels(preprocess(image!, how), 32, how);
    const tower = await clip.visionTower();
    using encoded = clip.engine.scope(() => tower.encode(clip.engine.tensor(pixels, [1, 3, 32, 32])).features);
    expect(await clip.embedImages([image!])).toEqual(normalizedFeatures(await encoded.read(), clip.width));
    const usual = await tinyModel();
    await expect(requireSameModel('run', { modelHash: await usual.hash() }, source)).rejects.toThrow(
      /^run: made with another model, or with images prepared in another way/,
    );
    expect(await usual.hash()).toBe(await hashFiles([WEIGHTS]));
  });

  it('zero-shot: logits are the scaled cosines of images and texts', async () => {
    using clip = new ClipModel({ backend: device() }, await tinyModel());
    const features = await clip.embedImages(pictures(5));
    const { logits, predicted } = await clip.zeroShot(features, CLASSES, 'a photo of');
    const texts = await clip.embedTexts(CLASSES.map((word) => `a photo of ${word}`));
    const scale = (await clip.textTower()).logitScale;
    const cosines = similarities(features, texts, clip.width).map((cosine) => scale * cosine);
    expect(maxError(logits, cosines)).toBeLessThan(1e-4 * scale);
    expect(predicted).toHaveLength(5);
  });

  it('goes on from a state to the same prompts, to the last bit', async () => {
    using clip = new ClipModel({ backend: device() }, await tinyModel());
    const train = { features: await clip.embedImages(pictures(9)), labels: labels(9) };
    const options = tuningOptions('paper', { epochs: 2, batchSize: 4 });
    const request = { classes: CLASSES, train, options };
    const states: TrainingState[] = [];
    using whole = await clip.tune({ ...request, onEpoch: (_, state) => void states.push(state) });
    using resumed = await clip.tune({ ...request, resume: states[0] });
    expect((await resumed.file()).prompts).toEqual((await whole.file()).prompts);
  });

  it('stops at a signal that a timer gives, and leaves nothing behind', async () => {
    using clip = new ClipModel({ backend: device() }, await tinyModel());
    const train = { features: await clip.embedImages(pictures(6)), labels: labels(6) };
    const reason = new Error('enough');
    const stop = new AbortController();
    setTimeout(() => stop.abort(reason), 20);
    const options = tuningOptions('paper', { epochs: 100_000, batchSize: 3 });
    await expect(clip.tune({ classes: CLASSES, train, options, signal: stop.signal })).rejects.toBe(reason);
    await expect(clip.embedImages(pictures(1), { signal: stop.signal })).rejects.toBe(reason);
  });

  it('refuses what does not fit together, in one line', async () => {
    using clip = new ClipModel({ backend: device() }, await tinyModel());
    const features = await clip.embedImages(pictures(3));
    const refused = async (work: Promise<unknown>, message: RegExp) => {
      const error: unknown = await work.catch((error: unknown) => error);
      expect(error).toBeInstanceOf(InputError);
      expect((error as Error).message).toMatch(message);
    };
    const train = { features, labels: labels(3) };
    await refused(clip.tune({ classes: ['awe'], train }), /at least two classes .* found 1$/);
    await refused(clip.tune({ classes: ['awe', 'fear'], train }), /^label 2: expected the place of one of 2 classes/);
    await refused(
      clip.tune({ classes: CLASSES, train: { features, labels: labels(2) } }),
      /a label for each of 3 images, found 2/,
    );
    await refused(clip.zeroShot(features.subarray(1), CLASSES), /^features: expected rows of/);
    // White space, HTML references and the space before a full stop are nothing to the tokenizer.
    for (const [one, other] of [
      ['great joy', 'great  Joy'],
      ['awe & joy', 'awe &amp; joy'],
      ['joy.', 'joy .'],
    ] as const) {
      const same = new RegExp(`^classes "${one}" and "${other}" have the same tokens, so CLIP cannot distinguish them`);
      await refused(clip.zeroShot(features, ['fear', one, other]), same);
      await refused(
        clip.tune({ classes: ['fear', one, other], train: { features, labels: new Int32Array([0, 1, 2]) } }),
        same,
      );
    }
    await refused(clip.zeroShot(features, ['fear', ' ']), /^class " ": expected at least one token/);
    await refused(clip.embedTexts(['word '.repeat(100)]), /expected at most/);
    const options = tuningOptions('paper', { epochs: 1 });
    using tuned = await clip.tune({ classes: CLASSES, train, options });
    const file = await tuned.file();
    await refused(
      clip.restorePrompts({ ...file, modelHash: 'ab'.repeat(32) }, 'mine'),
      /^mine: made with another model/,
    );
    await refused(clip.restorePrompts({ ...file, shape: [3, 1, 1] }), /^prompts of shape \[3, 1, 1\] where/);
    await refused(clip.restorePrompts(new Uint8Array(3)), /^prompts\.safetensors: /);
  });

  it('is of no use after it was disposed', async () => {
    const clip = new ClipModel({ backend: device() }, await tinyModel());
    const loading = clip.visionTower();
    clip[Symbol.dispose]();
    await expect(loading).rejects.toThrow(/disposed while it was loading/);
    await expect(clip.textTower()).rejects.toThrow(/used after it was disposed/);
  });
});

it('a model from a Blob has the hash of its file, and needs a vocabulary for texts only', async () => {
  const config = await readFile(fixture('clip-tiny/config.json'), 'utf8');
  const model = await openModel({ config, weights: new Blob([await readFile(WEIGHTS)]) });
  expect(await model.hash()).toBe(await hashFiles([WEIGHTS]));
  await expect(model.tokenizer()).rejects.toThrow(/opened without a vocabulary/);
  const given = await openModel({
    config,
    weights: [blobSource('w', new Blob([await readFile(WEIGHTS)]))],
    sha256: 'ff',
  });
  expect(await given.hash()).toBe('ff');
  await expect(openModel({ config, weights: new Uint8Array(0) })).rejects.toThrow(
    /model\.safetensors: the file is empty/,
  );
});
