/** `train --learner`: runs of the other learners of prompts, what the other commands make of them, and `learners`. */
import { beforeAll, expect, test } from 'vitest';
import { CONTEXT_LEARNERS, type ContextLearner } from '../../../src/learners/prompts/index.js';
import { PRESETS, TUNING_FIELDS } from '../../../src/ptdpc/options.js';
import { expectRefused, ptdpcJson, setUpProgram } from '../program.js';
import {
  expectDone,
  readMetrics,
  readPrompts,
  readRunFile,
  readRunJson,
  setUpModelAndImages,
  train,
  trainArgs,
} from './support.js';

setUpProgram();
setUpModelAndImages();

const SHORT = ['--epochs', '3', '--batch-size', '4', '--lr', '0.05'];
const IMAGE = 'data/test/awe/00.png';
const NAMES = Object.keys(CONTEXT_LEARNERS) as ContextLearner[];
const onCpu = (...args: string[]) => [...args, '--device', 'cpu'];

beforeAll(async () => {
  for (const name of NAMES) await train(name, '--learner', name, ...SHORT);
});

test.each(NAMES)('%s: the record has every option, and the learning rate its warm-up', async (name) => {
  const { options } = await readRunJson(name);
  const { defaults } = CONTEXT_LEARNERS[name];
  expect(options).toEqual({ learner: name, ...defaults, epochs: 3, batchSize: 4, learningRate: 0.05 });
  const { steps, epochs } = await readMetrics(name);
  expect(steps[0]!.lr).toBe(1e-5);
  expect(steps.at(-1)!.lr).toBeCloseTo((0.05 * (1 + Math.cos(Math.PI / 3))) / 2, 12);
  expect(epochs.at(-1)!.trainLoss).toBeLessThan(epochs[0]!.trainLoss);
});

test.each(NAMES)('%s: eval, predict, explain and report take the run', async (name) => {
  const { accuracy, zeroShot } = await ptdpcJson<{ accuracy: number; zeroShot: { accuracy: number } }>(
    onCpu('eval', '--run', name),
  );
  for (const share of [accuracy, zeroShot.accuracy]) expect(share).toBeGreaterThanOrEqual(0);
  const { predictions } = await ptdpcJson<{ predictions: { probabilities: Record<string, number> }[] }>(
    onCpu('predict', '--run', name, IMAGE),
  );
  const explained = await ptdpcJson<{
    learner: string;
    tokens: { text: string }[];
    images: { probabilities: number[]; weights: null }[];
  }>(onCpu('explain', '--run', name, IMAGE, '--top', '1'));
  expect(explained).toMatchObject({ learner: name, images: [{ weights: null }] });
  expect(explained.images[0]!.probabilities).toEqual(Object.values(predictions[0]!.probabilities));
  const { initWords, context } = CONTEXT_LEARNERS[name].defaults;
  const began = initWords === '' ? new Array<string>(context).fill('noise') : initWords.split(' ');
  expect(explained.tokens.map(({ text }) => text)).toEqual(began);
  await expectDone(onCpu('report', '--run', name));
  const page = (await readRunFile(name, 'report.html')).toString();
  expect(page).toContain(CONTEXT_LEARNERS[name].paper.text);
  expect(page).toContain('A cosine after 1 epoch of warm-up');
});

test('an image of its own shifts the tokens of CoCoOp, and its network is in the file', async () => {
  const file = await readPrompts('cocoop');
  expect(file.shape('meta_net.linear1.weight')).toEqual([4, 64]);
  expect(file.shape('meta_net.linear2.weight')).toEqual([64, 4]);
  expect(await file.read('meta_net.linear2.bias')).not.toEqual(new Float32Array(64));
});

test('a repeated call finds the run done; other options, and another learner, need another folder', async () => {
  const again = await train('coop', '--learner', 'coop', ...SHORT);
  expect(again.stderr).toMatch(/^coop: all 3 epochs are already done$/m);
  const other = (...options: string[]) => trainArgs('coop', ...SHORT, ...options);
  await expectRefused(
    other('--learner', 'coop', '--context', '3'),
    /--out coop: it holds a run with --context 16, not 3;/,
  );
  await expectRefused(other('--learner', 'kgcoop'), /it holds a run with another learner \(coop, now kgcoop\)/);
  await expectRefused(other(), /it holds a run with another learner \(coop, now pt-dpc\)/);
});

test('--config repeats a run of its learner, and of another takes the data', async () => {
  const repeat = (out: string, ...options: string[]) =>
    expectDone(onCpu('train', '--config', 'coop', '--out', out, ...options));
  await repeat('coop-again', '--class-position', 'front', '--class-specific');
  expect((await readRunJson('coop-again')).options).toEqual({
    ...((await readRunJson('coop')).options as object),
    ...{ classPosition: 'front', classSpecific: true },
  });
  expect((await readPrompts('coop-again')).shape('prompts')).toEqual([3, 16, 64]);
  await repeat('as-pt-dpc', '--learner', 'pt-dpc', '--epochs', '1');
  expect((await readRunJson('as-pt-dpc')).options).toEqual({ ...PRESETS.paper, epochs: 1 });
});

test.each([
  [1, 50],
  [4, 100],
  [5, 200],
])('CoOp on %i images of each class has the %i epochs of its paper', async (shots, epochs) => {
  await train(`few-${shots}`, '--learner', 'coop', '--shots', String(shots), '--context', '1', '--batch-size', '15');
  expect((await readRunJson(`few-${shots}`)).options).toMatchObject({ epochs });
});

test('options of another learner are refused, and names that are none', async () => {
  await expectRefused(
    trainArgs('x', '--learner', 'coop', '--mode', 'cs'),
    /--mode: not an option of --learner coop, which takes --context, /,
  );
  await expectRefused(trainArgs('x', '--context', '4'), /--context: not an option of --learner pt-dpc/);
  await expectRefused(trainArgs('x', '--learner', 'kgcoop', '--preset', 'official'), /--preset: not an option/);
  await expectRefused(
    trainArgs('x', '--learner', 'kgcoop', '--zero-shot-template', 'a photo'),
    /--zero-shot-template.*expected a text with \{\}/i,
  );
  await expectRefused(
    trainArgs('x', '--learner', 'coop', '--context', '76'),
    /a context of 76 tokens with class "awe" is/,
  );
});

test('learners lists them all, with how many numbers each learns', async () => {
  const { stdout } = await expectDone(['learners']);
  expect(stdout).toMatch(/^pt-dpc +.*32,768$/m);
  expect(stdout).toMatch(/^coop +.* 8,192$/m);
  // 4 tokens; 512 to 32 to 512 with biases.
  expect(stdout).toMatch(/^cocoop +.*35,360$/m);
  expect(stdout).toContain('Zhou et al., Conditional Prompt Learning for Vision-Language Models, CVPR 2022');
  const { learners } = await ptdpcJson<{ learners: { name: string; parameters: number; flags: object }[] }>([
    ...['learners', '--classes', '100'],
  ]);
  expect(learners[0]).toMatchObject({ name: 'pt-dpc', parameters: 409_600 });
  expect(Object.keys(learners[0]!.flags)).toEqual(Object.keys(TUNING_FIELDS));
  expect(learners.map(({ name }) => name)).toEqual(expect.arrayContaining(NAMES));
});
