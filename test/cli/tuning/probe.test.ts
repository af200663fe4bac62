/** `probe`: Table 4's baselines on a small CLIP and a small vision transformer, what they write, and what is refused. */
import { cp, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { expectRefused, fixture, ptdpc, ptdpcJson, scratchPath, setUpProgram } from '../program.js';
import { names, setUpModelAndImages, WORDS } from './support.js';

interface ProbeJson {
  learningRate: number;
  choice: { learningRate: number; valAccuracy: number }[];
  count: number;
  accuracy: number;
  confusion: number[][];
  classes: string[];
}

setUpProgram();
setUpModelAndImages();

const args = (out: string, ...options: string[]) => [
  ...['probe', '--data', 'data', '--out', out, '--device', 'cpu'],
  ...options,
];
const CLIP = ['--model', 'model'];
const VIT = ['--model', fixture('vit-tiny/vit.pth')];

test('pooled, joint and another encoder: each by its own features, the same again from the cache', async () => {
  const results: ProbeJson[] = [];
  const kinds = [
    [...CLIP, '--features', 'pooled'],
    [...CLIP, '--features', 'joint'],
    VIT,
    ['--model', fixture('vit-tiny/distilled.safetensors')],
  ];
  for (const [i, kind] of kinds.entries()) {
    const first = await ptdpcJson<ProbeJson>(args(`probe${i}`, ...kind));
    const { out: _, ...again } = await ptdpcJson<ProbeJson & { out: string }>(args(`again${i}`, ...kind));
    expect(first).toMatchObject(again);
    expect(first).toMatchObject({ count: 9, classes: [...WORDS], choice: [], learningRate: 0.1 });
    for (const name of ['probe.safetensors', 'results/data-test.csv', 'results/data-test.json', 'run.json']) {
      expect(await readFile(join(scratchPath(`probe${i}`), name)), name).toEqual(
        await readFile(join(scratchPath(`again${i}`), name)),
      );
    }
    results.push(first);
  }
  expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(kinds.length);
  // A folder of features for each encoder and kind.
  expect((await names('cache')).filter((name) => /^[0-9a-f]{32}$/.test(name))).toHaveLength(kinds.length);
});

test('--lr auto takes one of the paper’s rates by the validation images, and says which', async () => {
  const { choice, learningRate } = await ptdpcJson<ProbeJson>(args('auto', ...CLIP, '--lr', 'auto', '--l2', '0.01'));
  expect(choice.map((tried) => tried.learningRate)).toEqual([0.1, 0.01, 0.001]);
  expect(choice.map((tried) => tried.learningRate)).toContain(learningRate);
  const record = JSON.parse(await readFile(scratchPath('auto/run.json'), 'utf8')) as { options: object };
  expect(record.options).toMatchObject({ learningRate, l2: 0.01, optimizer: 'sgd' });
  const { stdout } = await ptdpc(args('people', ...VIT));
  expect(stdout).toMatch(/^linear probe, learning rate 0\.1, test: accuracy \d+\.\d % of 9 images/);
});

test('is a run: evaluated again and on other splits, used for predictions, and reported', async () => {
  const first = await ptdpcJson<ProbeJson>(args('linear', ...CLIP, '--features', 'joint'));
  const on = (...rest: string[]) => ['--run', 'linear', '--device', 'cpu', ...rest];
  const again = await ptdpcJson<ProbeJson>(['eval', ...on()]);
  expect([again.accuracy, again.confusion]).toEqual([first.accuracy, first.confusion]);
  expect((await ptdpcJson<ProbeJson & { split: string }>(['eval', ...on('--split', 'val')])).split).toBe('val');
  expect(await names('linear/results')).toEqual(expect.arrayContaining(['data-test.json', 'data-val.json']));
  const { predictions } = await ptdpcJson<{ predictions: { path: string; predicted: string }[] }>([
    ...['predict', ...on('data/test')],
  ]);
  const csv = await readFile(scratchPath('linear/results/data-test.csv'), 'utf8');
  const predicted = csv
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',')[2]);
  expect(predictions.map((one) => one.predicted)).toEqual(predicted);
  const { stdout, code } = await ptdpc(['report', ...on()]);
  expect([code, stdout]).toEqual([0, 'linear/report.html\n']);
  expect(await readFile(scratchPath('linear/report.html'), 'utf8')).toMatch(
    /A linear probe of 3 classes on joint features/,
  );
});

test('another model is refused, and so is a probe of an earlier version', async () => {
  await ptdpc(args('mine', ...CLIP));
  await expectRefused(
    ['eval', '--run', 'mine', ...VIT],
    /mine: was trained with another model than the one in .*vit\.pth/,
  );
  await rename(scratchPath('mine/run.json'), scratchPath('mine/probe.json'));
  await expectRefused(
    ['eval', '--run', 'mine'],
    /mine: a probe of an earlier version, .*; train it again \(npx ptdpc probe\)/,
  );
});

test('says how many test images are training images too, in the result as well', async () => {
  await cp(scratchPath('data'), scratchPath('doubled'), { recursive: true });
  const [folder] = await names('doubled/train');
  const [name] = await names(`doubled/train/${folder}`);
  await cp(scratchPath(`doubled/train/${folder}/${name}`), scratchPath(`doubled/test/${folder}/copy-of-${name}`));
  const { stderr, code } = await ptdpc(args('seen', ...CLIP, '--data', 'doubled'));
  expect([code, stderr]).toEqual([
    0,
    expect.stringMatching(/^warning: 1 of 10 test images are training images too \(first .*copy-of-/m),
  ]);
  const { seen } = JSON.parse(await readFile(scratchPath('seen/results/doubled-test.json'), 'utf8')) as {
    seen: object;
  };
  expect(seen).toMatchObject({ train: 1, val: 0 });
});

test('refuses what has no such features, what is no encoder, and a folder that is taken', async () => {
  await expectRefused(
    args('x', ...VIT, '--features', 'joint'),
    /--features joint: .*vit\.pth is a vision transformer without/,
  );
  await expectRefused(
    args('x', '--model', fixture('vit-tiny/expected.safetensors')),
    /expected a model directory of a CLIP/,
  );
  await expectRefused(args('data', ...CLIP), /data: the folder is not empty/);
  await expectRefused(args('x', ...CLIP, '--lr', 'best'), /Expected auto or a number above 0/);
  await expectRefused(args('x', ...CLIP, '--lr', '1e38'), /the loss became .* try a smaller --lr/);
});
