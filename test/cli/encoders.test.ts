/** Encoders that are no CLIP, through the commands that take one: random-model, convert, verify, embed, probe, fetch. */
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { bytesSource, openSafetensors } from '../../src/clip/checkpoint/index.js';
import { testServer } from '../node/hub/test-server.js';
import { expectRefused, fixture, ptdpc, ptdpcJson, scratchNames, scratchPath, setUpProgram } from './program.js';
import { setUpModelAndImages } from './tuning/support.js';

setUpProgram();
setUpModelAndImages();
const server = testServer();

beforeAll(async () => {
  for (const arch of ['AlexNet', 'ResNet101', 'BEiT'])
    await ptdpcJson(['random-model', '--arch', arch, '--small', '--out', `encoders/${arch}`, '--json']);
});

interface Checks {
  passed: number;
  failed: number;
  checks: { name: string; outcome: string; detail: string }[];
}

test('random-model refuses what an encoder does not have', async () => {
  await expectRefused(
    ['random-model', '--arch', 'ViT-B/32', '--small', '--out', 'none'],
    /--small: only with --arch AlexNet, VGG16, ResNet101, DeiT, BEiT, found ViT-B\/32/,
  );
  await expectRefused(
    ['random-model', '--arch', 'BEiT', '--vocab', 'x', '--out', 'none'],
    /--vocab: BEiT is not a CLIP/,
  );
  await expectRefused(['random-model', '--arch', 'BEiT', '--small', '--out', 'encoders'], /encoders: .*not empty/);
});

test('convert keeps what features need, and verify checks it', async () => {
  const { weights, unused } = await ptdpcJson<{ weights: number; unused: string[] }>([
    ...['convert', 'encoders/ResNet101', '--dtype', 'f16', '--out', 'half', '--json'],
  ]);
  expect(weights).toBeGreaterThan(100_000);
  expect(unused).toEqual(['fc.bias', 'fc.weight']);
  const halves = await openSafetensors(bytesSource('half', await readFile(scratchPath('half/model.safetensors'))));
  expect([halves.dtype('conv1.weight'), halves.dtype('bn1.weight')]).toEqual(['F16', 'F32']);
  await expectRefused(
    ['convert', 'encoders/ResNet101', '--vocab', 'x', '--out', 'never'],
    /--vocab: encoders\/ResNet101 is not a CLIP, so it has none/,
  );
  // Random weights are a failed check, and all others pass.
  const { code, stdout } = await ptdpc(['verify', 'half', '--device', 'cpu']);
  expect(code).toBe(1);
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.slice(0, 8).trim()),
  ).toEqual([...['passed', 'failed', 'passed', 'passed', 'passed', 'passed', 'not run']]);
  const vit = await ptdpcJson<Checks>(['verify', fixture('vit-tiny/vit.pth'), '--device', 'cpu', '--json']);
  expect(vit).toMatchObject({ passed: 5, failed: 0 });
  expect(vit.checks[0]!.detail).toMatch(/^DeiT \(a vision transformer\): \d+ x \d+ pixels to \d+ numbers/);
});

test('verify holds a model against the one that it should be', async () => {
  const expected = async (path: string, name: string) => {
    const { code, stderr } = await ptdpc(['verify', path, '--device', 'cpu', '--expect', name]);
    expect(code).toBe(1);
    return stderr.trimEnd().split('\n').at(-1);
  };
  expect(await expected('encoders/BEiT', 'ViT-B/32')).toMatch(/expected ViT-B\/32, found another encoder than a CLIP$/);
  expect(await expected('model', 'BEiT-B/16')).toMatch(/model: expected BEiT-B\/16, found a CLIP$/);
  // Its name and its reference numbers.
  expect(await expected('encoders/BEiT', 'BEiT-B/16')).toMatch(/2 checks of 7 failed$/);
});

describe('embed', () => {
  const image = fixture('preprocess/12_1x1_RGB.png');
  const features = async (...args: string[]) => {
    await ptdpcJson(['embed', ...args, image, '--device', 'cpu', '--out', 'features', '--json']);
    const file = await openSafetensors(bytesSource('features', await readFile(scratchPath('features'))));
    return { data: await file.read('image_features'), shape: file.shape('image_features'), said: file.metadata };
  };

  test('gives the features of any encoder, prepared in either way', async () => {
    const own = await features('--encoder', 'encoders/AlexNet');
    const clip = await features('--encoder', 'encoders/AlexNet', '--preprocess', 'clip');
    expect([own.shape, clip.shape]).toEqual([
      [1, 64],
      [1, 64],
    ]);
    expect(clip.data).not.toEqual(own.data);
    expect(own.said.get('preprocessing')).toMatch(/^to RGB, short side to 256 \(bilinear\), the middle 224 x 224/);
    expect(clip.said.get('preprocessing')).toMatch(/^short side to 224 \(bicubic\)/);
    expect(clip.said.get('model_sha256')).not.toBe(own.said.get('model_sha256'));
    // From the cache, and the same again.
    const { cached } = await ptdpcJson<{ cached: number }>([
      ...['embed', '--encoder', 'encoders/AlexNet', image, '--device', 'cpu', '--out', 'features', '--json'],
    ]);
    expect(cached).toBe(1);
    expect((await features('--encoder', 'model')).shape).not.toEqual((await features('--model', 'model')).shape);
  });

  test('takes one model, and a way to prepare pictures only for an encoder', async () => {
    const embed = ['embed', image, '--out', 'none'];
    await expectRefused(embed, /--model <dir> or --encoder <path>: missing/);
    await expectRefused([...embed, '--model', 'model', '--encoder', 'model'], /--encoder: not with --model/);
    await expectRefused(
      [...embed, '--model', 'model', '--preprocess', 'clip'],
      /--preprocess clip: only with --encoder/,
    );
    expect(await scratchNames()).not.toContain('none');
  });
});

test('a probe remembers how its images are prepared', async () => {
  const probe = ['probe', '--data', 'data', '--model', 'encoders/BEiT', '--device', 'cpu', '--json'];
  const clip = await ptdpcJson<{ loss: number }>([...probe, '--preprocess', 'clip', '--out', 'probe-clip']);
  const own = await ptdpcJson<{ loss: number }>([...probe, '--out', 'probe-own']);
  expect(clip.loss).not.toBe(own.loss);
  const record = async (run: string) => JSON.parse(await readFile(scratchPath(`${run}/run.json`), 'utf8')) as object;
  expect([await record('probe-clip'), await record('probe-own')]).toMatchObject([
    { preprocess: 'clip', features: 'pooled' },
    { preprocess: 'own' },
  ]);
  for (const [run, { loss }] of [
    ['probe-clip', clip],
    ['probe-own', own],
  ] as const)
    expect((await ptdpcJson<{ loss: number }>(['eval', '--run', run, '--device', 'cpu', '--json'])).loss).toBe(loss);
  await ptdpc(['report', '--run', 'probe-clip', '--device', 'cpu']);
  expect(await readFile(scratchPath('probe-clip/report.html'), 'utf8')).toMatch(/preprocessing<\/th><td>CLIP&apos;s</);
});

test('fetch refuses a file that has not the hash of its name, and keeps nothing', async () => {
  server().files.set('/alexnet-owt-7be5be79.pth', await readFile(fixture('vit-tiny/vit.pth')));
  await expectRefused(
    ['fetch', 'alexnet', '--endpoint', server().origin, '--out', 'fetched', '--retries', '0'],
    /^ptdpc: alexnet-owt-7be5be79\.pth: wrong contents, deleted: expected sha-256 7be5be79, found [0-9a-f]{64}$/,
  );
  expect((await scratchNames()).filter((name) => name.includes('fetched'))).toEqual([]);
  await expectRefused(['fetch', 'alexnet', '--out', 'x', '--revision', 'main'], /--revision: only for a repository/);
  await expectRefused(['fetch', 'resnet-101', '--out', 'x'], /unknown model resnet-101 \(did you mean resnet101\?\)/);
});
