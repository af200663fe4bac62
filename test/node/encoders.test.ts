/** Every encoder from its files to features: opened, told apart by preprocessing, converted, verified; and what is refused. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { clipPreprocessing } from '../../src/clip/image/index.js';
import { convertEncoder } from '../../src/node/convert-encoder.js';
import { openDevice } from '../../src/node/device.js';
import { embedToFile } from '../../src/node/encode-splits.js';
import { SILENT } from '../../src/node/events.js';
import { isEncoderAt, openEncoder } from '../../src/node/image-encoder.js';
import { standIns, writeRandomEncoder } from '../../src/node/random-encoder.js';
import { BEIT_B16, type KnownEncoder, verifyEncoder } from '../../src/node/verify-encoder.js';
import { COMPARED_ENCODERS } from '../../src/ptdpc/experiment/index.js';
import { Engine } from '../../src/tensor/index.js';
import { fixture } from '../support/tiny-clip.js';
import { sha256Of } from './hub/test-server.js';
import { scratchFolder } from './scratch.js';

const scratch = scratchFolder();
const PICTURES = ['12_1x1_RGB.png'].map((name) => fixture(`preprocess/${name}`));
let paths: ReadonlyMap<string, string>;

beforeAll(async () => {
  const folders = await standIns(scratch('stand-ins'), SILENT);
  paths = new Map(COMPARED_ENCODERS.map((name, i) => [name, folders[i]!]));
});

const pathOf = (name: string) => paths.get(name)!;

async function embedded(path: string, preprocess: 'own' | 'clip' = 'own', out = scratch(`features-${Math.random()}`)) {
  await embedToFile({
    ...{ model: path, encoder: { features: 'pooled', preprocess }, images: PICTURES, out },
    ...{ openDevice: () => openDevice('cpu'), cacheDirectory: undefined, memory: 2 ** 30 },
  });
  return await readFile(out);
}

describe.each(COMPARED_ENCODERS)('%s', (name) => {
  test('is what its stand-in says, and stays that when it is drawn again', async () => {
    await using encoder = await openEncoder(pathOf(name), { features: 'pooled' });
    expect(encoder.architecture).toBe(name);
    const again = scratch(`${name}-again`);
    await writeRandomEncoder(again, name, { small: true, seed: 0 });
    await using same = await openEncoder(again, { features: 'pooled' });
    expect(await same.hash()).toBe(await encoder.hash());
    const other = scratch(`${name}-other`);
    await writeRandomEncoder(other, name, { small: true, seed: 1 });
    await using another = await openEncoder(other, { features: 'pooled' });
    expect(await another.hash()).not.toBe(await encoder.hash());
  });

  test('has features of its own for each way to prepare pictures', async () => {
    await using own = await openEncoder(pathOf(name), { features: 'pooled' });
    await using clip = await openEncoder(pathOf(name), { features: 'pooled', preprocess: 'clip' });
    expect(clip.preprocessing).toEqual(clipPreprocessing(224));
    expect(await clip.hash()).not.toBe(await own.hash());
    expect(await embedded(pathOf(name), 'clip')).not.toEqual(await embedded(pathOf(name)));
  });

  test('converted, it gives the same features', async () => {
    const out = scratch(`${name}-converted`);
    const { architecture, unused } = await convertEncoder(pathOf(name), out, { dtype: 'f32' });
    expect(architecture).toBe(name);
    expect(unused.every((tensor) => /^(?:classifier\.6|fc|head)\./.test(tensor))).toBe(true);
    expect((await readdir(out)).sort()).toEqual(['model.safetensors', 'preprocessor_config.json']);
    const features = (bytes: Buffer) => bytes.subarray(8 + Number(bytes.readBigUInt64LE(0)));
    expect(features(await embedded(out))).toEqual(features(await embedded(pathOf(name))));
    // What says that its weights are random still does.
    expect((await readFile(join(out, 'model.safetensors'))).subarray(0, 80).toString()).toContain('"weights":"random"');
  });

  test('verified, its stand-in is no published one, and sound otherwise', async () => {
    using device = await openDevice('cpu');
    const checks = await verifyEncoder(pathOf(name), { engine: async () => new Engine(device.backend) });
    expect(checks!.map((check) => [check.name, check.outcome])).toEqual([
      ['shapes', 'passed'],
      ['name', 'failed'],
      ['preprocessing', 'passed'],
      ['finite weights', 'passed'],
      ['filled weights', 'passed'],
      ['finite features', 'passed'],
      ['reference numbers', 'not run'],
    ]);
  });

  test('cut short anywhere, it is refused in one line that names the file', async () => {
    const whole = await readFile(join(pathOf(name), 'model.safetensors'));
    for (const share of [0.001, 0.3, 0.999]) {
      const path = scratch(`${name}-cut.safetensors`);
      await writeFile(path, whole.subarray(0, Math.floor(share * whole.length)));
      await expect(openEncoder(path, { features: 'pooled' })).rejects.toThrow(/^[^\n]*-cut\.safetensors[^\n]*$/);
    }
  });

  test('without one of its tensors, it is refused by that name', async () => {
    const whole = await readFile(join(pathOf(name), 'model.safetensors'));
    const tensor = {
      AlexNet: 'features.8.bias',
      VGG16: 'features.28.bias',
      ResNet101: 'layer3.22.bn2.running_var',
      DeiT: 'blocks.1.mlp.fc1.bias',
      BEiT: 'blocks.1.gamma_2',
    }[name];
    const path = scratch(`${name}-renamed.safetensors`);
    const other = `x${tensor.slice(1)}`;
    await writeFile(path, Buffer.from(whole.toString('latin1').replace(`"${tensor}"`, `"${other}"`), 'latin1'));
    await expect(openEncoder(path, { features: 'pooled' })).rejects.toThrow(/-renamed\.safetensors: .*tensor "[^"]+"/);
  });
});

test('a file that says a hash in its name is sound if that is its own, refused if not', async () => {
  const bytes = await readFile(fixture('vit-tiny/vit.pth'));
  const folder = scratch('hashed');
  await mkdir(folder);
  await writeFile(join(folder, `vit-${sha256Of(bytes).slice(0, 8)}.pth`), bytes);
  using device = await openDevice('cpu');
  const checks = await verifyEncoder(folder, { engine: async () => new Engine(device.backend) });
  expect(checks!.find((check) => check.name === 'name')).toMatchObject({ outcome: 'passed' });
  const wrong = scratch('vit-0123abcd.pth');
  await writeFile(wrong, bytes);
  await expect(verifyEncoder(wrong, { engine: async () => new Engine(device.backend) })).rejects.toThrow(
    /vit-0123abcd\.pth: mislabelled or damaged/,
  );
});

test("a vision transformer's runs from before timm's short side, whose identity is the weights' hash alone, are those with a short side of 256", async () => {
  const weights = await readFile(join(pathOf('DeiT'), 'model.safetensors'));
  const folder = scratch('deit-256');
  await mkdir(folder);
  await writeFile(join(folder, 'model.safetensors'), weights);
  const identity = async () => {
    await using encoder = await openEncoder(folder, { features: 'pooled' });
    return { resize: encoder.preprocessing.resize, isBare: (await encoder.hash()) === sha256Of(weights) };
  };
  expect(await identity()).toEqual({ resize: 248, isBare: false });
  await writeFile(join(folder, 'config.json'), JSON.stringify({ pretrained_cfg: { crop_pct: 0.875 } }));
  expect(await identity()).toEqual({ resize: 256, isBare: true });
});

test("Hugging Face's folder of a BEiT prepares pictures as its file says, which is as usual", async () => {
  const folder = scratch('beit-base');
  await mkdir(folder);
  const weights = await readFile(fixture('beit-tiny/tuned_hf.safetensors'));
  await writeFile(join(folder, 'model.safetensors'), weights);
  await writeFile(join(folder, 'config.json'), '{"model_type":"beit"}');
  const file = { feature_extractor_type: 'BeitFeatureExtractor', size: 24, resample: 2, do_center_crop: false };
  const half = [0.5, 0.5, 0.5];
  const written = async (change: object) =>
    await writeFile(
      join(folder, 'preprocessor_config.json'),
      JSON.stringify({ ...file, crop_size: 24, image_mean: half, image_std: half, ...change }),
    );
  await written({});
  {
    await using encoder = await openEncoder(folder, { features: 'pooled' });
    expect(encoder.preprocessing).toEqual(encoder.usual);
    expect(encoder.preprocessing).toMatchObject({ size: 24, resize: 24, shape: 'squash', filter: 'bilinear' });
    expect(await encoder.hash()).toBe(sha256Of(weights));
  }
  await written({ image_mean: [0.4, 0.5, 0.5] });
  await using other = await openEncoder(folder, { features: 'pooled' });
  expect(await other.hash()).not.toBe(sha256Of(weights));
  await written({ size: 32 });
  await expect(openEncoder(folder, { features: 'pooled' })).rejects.toThrow(/preprocessor_config\.json: size/);
});

test('a pre-trained BEiT, converted, is still known as that', async () => {
  const out = scratch('converted-pretrained');
  const { config } = await convertEncoder(fixture('beit-tiny/pretrained_hf.safetensors'), out, { dtype: 'f32' });
  expect(config).toMatchObject({ kind: 'beit', norm: 'patches' });
  await using encoder = await openEncoder(out, { features: 'pooled' });
  expect(encoder.config).toEqual(config);
});

test('what is no encoder', async () => {
  expect(await isEncoderAt(fixture('clip-tiny'))).toBe(false);
  expect(await isEncoderAt(scratch('nowhere'))).toBe(false);
  expect(await verifyEncoder(fixture('clip-tiny'), { engine: () => Promise.reject(new Error('not asked for')) })).toBe(
    undefined,
  );
  await expect(openEncoder(fixture('vit-tiny/expected.safetensors'), { features: 'pooled' })).rejects.toThrow(
    /expected a model directory of a CLIP, or the checkpoint of .*AlexNet.*; found neither$/,
  );
  await expect(openEncoder(pathOf('AlexNet'), { features: 'joint' })).rejects.toThrow(
    /without a joint space; use pooled/,
  );
});

describe("BEiT's published check", () => {
  const [picture] = PICTURES;
  const verified = async (known: KnownEncoder, image?: string, expectKnown = false) => {
    using device = await openDevice('cpu');
    const engine = async () => new Engine(device.backend);
    const checks = await verifyEncoder(pathOf('BEiT'), { engine, known, image, expectKnown });
    return checks!.at(-1)!;
  };
  /** The stand-in's own logits in place of the published ones. */
  const small = { ...BEIT_B16, width: 64 };

  test('says that it needs the picture and the weights', async () => {
    expect((await verified(small)).detail).toBe(
      'need the picture 000000039769.jpg of COCO val2017 (--image) and the weights of microsoft/beit-base-patch16-224',
    );
    expect((await verified(BEIT_B16, picture)).detail).toMatch(/^not microsoft\/beit-base-patch16-224: other sizes/);
  });

  test('compares logits, and fails where they must be those', async () => {
    const { outcome, detail } = await verified(small, picture);
    expect([outcome, detail]).toEqual([
      'not run',
      expect.stringMatching(/first logits -?\d.*published for 0000000397/),
    ]);
    expect((await verified(small, picture, true)).outcome).toBe('failed');
    const [, logits = '', largest] = /first logits (.*), largest at (\d+);/.exec(detail)!;
    const own = { ...small, logits: logits.split(', ').map(Number), largest: Number(largest) };
    expect((await verified(own, picture)).outcome).toBe('passed');
    expect((await verified({ ...own, largest: own.largest + 1 }, picture, true)).outcome).toBe('failed');
  });
});
