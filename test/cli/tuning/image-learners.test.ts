/** `train --learner vpt` and `maple`: runs of the learners of the image tower, what the other commands make of them, and what is refused. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { IMAGE_LEARNERS, type ImageLearner } from '../../../src/learners/images/index.js';
import { expectRefused, outcomeOf, ptdpcJson, scratchPath, setUpProgram, startPtdpc } from '../program.js';
import {
  expectDone,
  makeImages,
  noisyPng,
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

const NAMES = Object.keys(IMAGE_LEARNERS) as ImageLearner[];
const SHORT = ['--epochs', '3', '--lr', '0.01'];
const IMAGE = 'data/test/awe/00.png';
const onCpu = (...args: string[]) => [...args, '--device', 'cpu'];
const STATE = ['metrics.jsonl', 'prompts.safetensors', 'state.safetensors'];

beforeAll(async () => {
  for (const name of NAMES) await train(name, '--learner', name, ...SHORT);
});

test.each(NAMES)('%s: the record has every option, with the depth that the model has', async (name) => {
  const { learner, options } = await readRunJson(name);
  const { defaults } = IMAGE_LEARNERS[name];
  expect(learner).toBe('images');
  expect(options).toEqual({ learner: name, ...defaults, depth: 2, epochs: 3, learningRate: 0.01 });
  const { steps, epochs } = await readMetrics(name);
  expect(steps.map(({ lr }) => lr)[0]).toBe(1e-5);
  expect(epochs.at(-1)!.trainLoss).toBeLessThan(epochs[0]!.trainLoss);
});

test.each(NAMES)(
  '%s: eval has the accuracy of the validation in training; predict, report and compare take the run',
  async (name) => {
    const evaluated = await ptdpcJson<{ accuracy: number; loss: number; zeroShot: null }>(
      onCpu('eval', '--run', name, '--split', 'val'),
    );
    const { valAccuracy, valLoss } = (await readMetrics(name)).epochs.at(-1)!;
    expect(evaluated.accuracy).toBeCloseTo(valAccuracy!, 12);
    expect(evaluated.loss).toBeCloseTo(valLoss!, 5);
    const { predictions } = await ptdpcJson<{ predictions: { probabilities: Record<string, number> }[] }>(
      onCpu('predict', '--run', name, IMAGE),
    );
    expect(Object.keys(predictions[0]!.probabilities)).toEqual(['awe', 'great joy', 'sadness']);
    await expectDone(onCpu('report', '--run', name));
    const page = (await readRunFile(name, 'report.html')).toString();
    expect(page).toContain(IMAGE_LEARNERS[name].paper.text);
    expect(page).toContain('A cosine after 1 epoch of warm-up');
  },
);

test('two runs are compared by their results', async () => {
  const { stdout } = await expectDone(['compare', ...NAMES]);
  for (const name of NAMES) expect(stdout).toMatch(new RegExp(`^${name} +${name} `, 'm'));
});

test('the tokens go before other classes too', async () => {
  const { accuracy } = await ptdpcJson<{ accuracy: number }>(
    onCpu('eval', '--run', 'maple', '--classes', 'awe=wonder,sadness'),
  );
  expect(accuracy).toBeGreaterThanOrEqual(0);
});

test('files have the tensors of each layer', async () => {
  const [vpt, maple] = [await readPrompts('vpt'), await readPrompts('maple')];
  expect(vpt.shape('prompts.1')).toEqual([8, 128]);
  expect(maple.shape('compound_prompts_text.0')).toEqual([2, 64]);
  expect(maple.shape('compound_prompt_projections.0.weight')).toEqual([128, 64]);
  expect(maple.shape('proj.bias')).toEqual([128]);
});

test.each(NAMES)('%s: takes random views in turn', async (name) => {
  await train(`${name}-views`, '--learner', name, ...SHORT, '--views', '2');
  const [one, other] = [await readMetrics(name), await readMetrics(`${name}-views`)];
  expect(other.epochs[0]!.trainLoss).not.toBe(one.epochs[0]!.trainLoss);
  expect(await readRunJson(`${name}-views`)).toMatchObject({ dataset: { origin: { views: 2 } } });
});

test.each(NAMES)('%s: a training that is killed resumes to the bytes of one that was not', async (name) => {
  const long = ['--learner', name, '--epochs', '30', '--lr', '0.01'];
  await train(`${name}-long`, ...long);
  const child = startPtdpc(trainArgs(`${name}-killed`, ...long));
  const outcome = outcomeOf(child);
  await expect
    .poll(async () => (await readMetrics(`${name}-killed`).catch(() => undefined))?.epochs.length ?? 0, {
      timeout: 100_000,
      interval: 2,
    })
    .toBeGreaterThanOrEqual(2);
  child.kill('SIGKILL');
  await outcome;
  const { stderr } = await train(`${name}-killed`, ...long);
  expect(stderr).toMatch(new RegExp(`^${name}-killed: resuming after epoch \\d+ of 30$`, 'm'));
  for (const file of STATE) {
    const [killed, straight] = [await readRunFile(`${name}-killed`, file), await readRunFile(`${name}-long`, file)];
    expect(killed.equals(straight), file).toBe(true);
  }
});

test('--config repeats a run, --keep best keeps an epoch, and --shots takes a few images', async () => {
  await expectDone(onCpu('train', '--config', 'vpt', '--out', 'again', '--keep', 'best', '--shots', '2'));
  const { options, images, dataset } = await readRunJson('again');
  expect(options).toEqual({ ...((await readRunJson('vpt')).options as object), keep: 'best' });
  expect(images).toMatchObject({ train: 6 });
  expect(dataset).toMatchObject({ origin: { shots: { images: 2 } } });
});

test('a picture that cannot be read is left out, and said', async () => {
  await makeImages(scratchPath('torn'));
  await writeFile(join(scratchPath('torn'), 'train/awe/00.png'), noisyPng(0, 1).subarray(0, 40));
  const { stderr } = await expectDone(
    onCpu('train', '--model', 'model', '--data', 'torn', '--out', 'torn-run', '--learner', 'vpt', ...SHORT),
  );
  expect(stderr).toMatch(/1 image cannot be read/);
  expect(await readRunJson('torn-run')).toMatchObject({ images: { train: 14 }, skipped: [{ split: 'train' }] });
});

test('what has no meaning is refused in a line', async () => {
  const vpt = (...options: string[]) => trainArgs('x', '--learner', 'vpt', ...options);
  const maple = (...options: string[]) => trainArgs('x', '--learner', 'maple', ...options);
  await expectRefused(vpt('--depth', '0'), /--depth <n>.*'0' is invalid/);
  await expectRefused(
    vpt('--depth', '3'),
    /--depth: expected at most 2, the layers that this model has for vpt, found 3/,
  );
  await expectRefused(vpt('--context', '2'), /--context: not an option of --learner vpt, which takes --tokens, /);
  await expectRefused(maple('--tokens', '2'), /--tokens: not an option of --learner maple/);
  await expectRefused(maple('--context', '5'), /--context 5: --init-words "a photo of a" has \d+ tokens/);
  await expectRefused(vpt('--lr', 'auto'), /--lr auto: expected a number for --learner vpt/);
  await expectRefused(maple('--depth', '2', '--memory', '1MiB'), /--memory: training on one image needs/);
  await expectRefused(trainArgs('vpt', '--learner', 'maple'), /it holds a run with another learner \(vpt, now maple\)/);
  await expectRefused(trainArgs('vpt'), /it holds a run with another learner \(vpt, now pt-dpc\)/);
  await expectRefused(
    trainArgs('vpt', '--learner', 'vpt', ...SHORT, '--tokens', '3'),
    /it holds a run with --tokens 8, not 3/,
  );
  await expectRefused(onCpu('explain', '--run', 'vpt'), /a run of learner vpt; expected one with prompts of texts/);
  await expectRefused(
    onCpu('predict', '--run', 'vpt/prompts.safetensors', '--model', 'model', IMAGE),
    /learned tokens of the image tower; expected prompts of texts/,
  );
});
