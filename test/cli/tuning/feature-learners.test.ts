/** `train --learner` with the learners on features: their runs, and what the other commands make of them. */
import { copyFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { FEATURE_LEARNERS } from '../../../src/learners/features/index.js';
import { expectRefused, ptdpcJson, scratchPath, setUpProgram } from '../program.js';
import { expectDone, readRunFile, readRunJson, setUpModelAndImages, train, trainArgs } from './support.js';

setUpProgram();
setUpModelAndImages();

const IMAGE = 'data/test/awe/00.png';
const NAMES = FEATURE_LEARNERS.map(({ name }) => name);
const onCpu = (...args: string[]) => [...args, '--device', 'cpu'];

/** Few epochs or iterations, of learners that have some. */
const shortOf = (name: string): string[] => {
  const { fields } = FEATURE_LEARNERS.find((learner) => learner.name === name)!;
  return ['epochs', 'iterations'].flatMap((field) => (field in fields ? [`--${field}`, '3'] : []));
};

beforeAll(async () => {
  for (const name of NAMES) await train(name, '--learner', name, ...shortOf(name));
});

test.each(NAMES)('%s: the record has every option, and what was chosen', async (name) => {
  const { learner, options, constants, images } = await readRunJson(name);
  const { fields } = FEATURE_LEARNERS.find((one) => one.name === name)!;
  expect({ learner, images }).toMatchObject({ learner: 'features', images: { train: expect.any(Number) } });
  expect(Object.keys(options as object).sort()).toEqual(Object.keys(fields).sort());
  for (const [key, value] of Object.entries(options as object))
    if (value === 'auto') expect(constants, key).toHaveProperty(key, expect.any(Number));
});

test.each(NAMES)('%s: eval, predict and report take the run', async (name) => {
  const { accuracy, zeroShot } = await ptdpcJson<{ accuracy: number; zeroShot: { accuracy: number } }>(
    onCpu('eval', '--run', name),
  );
  for (const share of [accuracy, zeroShot.accuracy]) expect(share).toBeGreaterThanOrEqual(0);
  const { predictions } = await ptdpcJson<{ predictions: { probabilities: Record<string, number> }[] }>(
    onCpu('predict', '--run', name, IMAGE),
  );
  const sum = Object.values(predictions[0]!.probabilities).reduce((total, share) => total + share, 0);
  expect(sum).toBeCloseTo(1, 5);
  await expectDone(onCpu('report', '--run', name));
  const { paper } = FEATURE_LEARNERS.find((learner) => learner.name === name)!;
  expect((await readRunFile(name, 'report.html')).toString()).toContain(paper.text);
});

test('the images that were fitted are classified as the run said', async () => {
  const fitted = await train('again', '--learner', 'lp++', '--json');
  const { trainAccuracy } = JSON.parse(fitted.stdout) as { trainAccuracy: number };
  const { accuracy } = await ptdpcJson<{ accuracy: number }>(
    onCpu('eval', '--run', 'again', '--split', 'train', '--no-zero-shot'),
  );
  expect(accuracy).toBe(trainAccuracy);
});

test('--config repeats a run, and a folder that holds something is refused', async () => {
  await expectDone(onCpu('train', '--config', 'clap', '--out', 'clap-again', '--lr', '0.2'));
  const before = (await readRunJson('clap')).options as object;
  expect((await readRunJson('clap-again')).options).toEqual({ ...before, learningRate: 0.2 });
  await expectRefused(
    trainArgs('clap', '--learner', 'clap'),
    /^ptdpc: clap: the folder is not empty; choose another one/,
  );
});

test('TaskRes on 8 images of each class has the 200 epochs of its published trainings', async () => {
  await train('few', '--learner', 'taskres', '--shots', '8');
  expect((await readRunJson('few')).options).toMatchObject({ epochs: 200 });
});

test('options that a learner does not have are refused, and values that it does not take', async () => {
  await expectRefused(
    trainArgs('x', '--learner', 'tip-adapter', '--epochs', '3'),
    /--epochs: not an option of --learner tip-adapter, which takes --zero-shot-template, --seed, --alpha, --beta/,
  );
  await expectRefused(
    trainArgs('x', '--learner', 'clap', '--lr', 'auto'),
    /--lr auto: expected a number for --learner clap/,
  );
  await expectRefused(trainArgs('x', '--learner', 'taskres', '--alpha', 'auto'), /--alpha: expected a number above 0/);
  await expectRefused(
    trainArgs('x', '--learner', 'lp++', '--zero-shot-template', 'a photo'),
    /--zero-shot-template.*expected a text with \{\}/i,
  );
});

test('learned tensors of another shape are refused', async () => {
  await train('swapped', '--learner', 'taskres', '--epochs', '1', '--classes', 'awe,sadness');
  await copyFile(scratchPath('taskres/learned.safetensors'), scratchPath('swapped/learned.safetensors'));
  await expectRefused(
    onCpu('predict', '--run', 'swapped', IMAGE),
    /swapped\/learned\.safetensors: expected texts of TaskRes with shape \[2, 64\], found \[3, 64\]; train it again/,
  );
});

test('explain has nothing to say of a run without prompts', async () => {
  await expectRefused(
    ['explain', '--run', 'clap', ...onCpu()],
    /clap: a run of learner features; expected one with prompts/,
  );
});
