/** Runs that are damaged, unfinished, or belong to another model: one line each from the commands that use them. */
import { cp, mkdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { expectRefused, ptdpc, scratchPath, setUpProgram } from '../program.js';
import { expectDone, names, setUpModelAndImages, train, trainArgs } from './support.js';

setUpProgram();
setUpModelAndImages();

const EPOCHS = ['--epochs', '2'];
const evalArgs = (run: string, ...options: string[]) => [
  'eval',
  '--run',
  run,
  '--data',
  'data',
  '--device',
  'cpu',
  ...options,
];
const predictArgs = (run: string) => ['predict', '--run', run, 'data/test/awe/00.png', '--device', 'cpu'];

beforeAll(() => train('good', ...EPOCHS));

/** A copy of the good run, changed by `change`. */
async function changedRun(name: string, change: (directory: string) => Promise<unknown>): Promise<string> {
  await cp(scratchPath('good'), scratchPath(name), { recursive: true });
  await change(scratchPath(name));
  return name;
}

const replaceIn = async (path: string, from: string, to: string) => {
  const text = await readFile(path, 'latin1');
  expect(text).toContain(from);
  await writeFile(path, text.replace(from, to), 'latin1');
};

describe('eval and predict refuse', () => {
  test('a folder that is no run, and a run without an epoch', async () => {
    await expectRefused(evalArgs('data'), /data\/run\.json: not found; expected the folder of a run/);
    await expectRefused(predictArgs('nothing'), /nothing\/run\.json: not found/);
    await changedRun('young', (run) => rm(join(run, 'prompts.safetensors')));
    await expectRefused(evalArgs('young'), /young\/prompts\.safetensors: not found; .* at least one finished epoch/);
  });

  test('images that are no longer where the run had them, or are of no class of its own', async () => {
    const moved = (run: string) =>
      replaceIn(join(run, 'run.json'), `${scratchPath('data')}"`, `${scratchPath('gone')}"`);
    await changedRun('moved', moved);
    await expectRefused(
      ['eval', '--run', 'moved'],
      /gone: not found, the data set of the run; if it has moved, pass --data <path>$/,
    );
    await expectRefused(
      ['train', '--config', 'moved', '--out', 'again'],
      /gone: not found, the data set of the run; if it has moved, pass --data <path>$/,
    );
    for (const name of ['cats', 'dogs']) await mkdir(scratchPath(`others/test/${name}`), { recursive: true });
    for (const name of ['cats', 'dogs'])
      await cp(scratchPath('data/test/awe/00.png'), scratchPath(`others/test/${name}/00.png`));
    const { stderr } = await ptdpc(['eval', '--run', 'good', '--data', 'others']);
    expect(stderr).toMatch(/^data set: folders, split as given by its files: no images of its classes$/m);
  });

  test('truncated or foreign prompts', async () => {
    await changedRun('cut', (run) => truncate(join(run, 'prompts.safetensors'), 1000));
    await expectRefused(evalArgs('cut'), /cut\/prompts\.safetensors: /);
    expect(await names('cut')).toEqual(await names('good'));
    await changedRun('foreign', (run) => cp(scratchPath('model/model.safetensors'), join(run, 'prompts.safetensors')));
    await expectRefused(predictArgs('foreign'), /foreign\/prompts\.safetensors: expected the prompts of a run/);
    const other = (run: string) => replaceIn(join(run, 'prompts.safetensors'), '\\"template\\"', '\\"tempalte\\"');
    await changedRun('odd', other);
    await expectRefused(predictArgs('odd'), /odd\/prompts\.safetensors: the metadata does not describe a run/);
  });

  test('a damaged run.json', async () => {
    for (const text of ['{"program":', 'null', '{"model":{}}']) {
      await changedRun('scribbled', (run) => writeFile(join(run, 'run.json'), text));
      await expectRefused(evalArgs('scribbled'), /scribbled\/run\.json: expected the record of a run/);
    }
    await expectRefused(trainArgs('scribbled', ...EPOCHS), /scribbled\/run\.json: expected the record of a run/);
  });

  test('another model than the run was made with, or none', async () => {
    await cp(scratchPath('model'), scratchPath('other'), { recursive: true });
    const bytes = await readFile(scratchPath('other/model.safetensors'));
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(scratchPath('other/model.safetensors'), bytes);
    await expectRefused(
      evalArgs('good', '--model', 'other'),
      /good: made with another model, or with images prepared in another way \(SHA-256 /,
    );

    await rename(scratchPath('model/merges.txt'), scratchPath('merges.txt'));
    await writeFile(scratchPath('model/merges.txt'), '#version: 0.2\n');
    await expectRefused(
      predictArgs('good'),
      /prompts of shape \[3, 8, 64\] where the template and .* need \[3, \d+, 64\]/,
    );
    await rename(scratchPath('merges.txt'), scratchPath('model/merges.txt'));

    await rename(scratchPath('model'), scratchPath('elsewhere'));
    await expectRefused(predictArgs('good'), /good: its model is no longer at .*model; pass --model/);
    await rename(scratchPath('elsewhere'), scratchPath('model'));
  });

  test('nothing but unreadable images', async () => {
    await writeFile(scratchPath('broken.png'), 'text');
    const { code, stdout, stderr } = await ptdpc(['predict', '--run', 'good', 'broken.png', '--device', 'cpu']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/\nptdpc: none of 1 images can be read; the first one: broken\.png: .*\n$/);
    await expectRefused(['predict', '--run', 'good', 'missing.png'], /missing\.png: cannot be opened/);
  });
});

describe('train refuses to go on from', () => {
  test('a damaged state', async () => {
    await changedRun('state-cut', (run) => truncate(join(run, 'state.safetensors'), 5000));
    await expectRefused(trainArgs('state-cut', ...EPOCHS), /state-cut\/state\.safetensors: /);
    await changedRun('state-odd', (run) => replaceIn(join(run, 'state.safetensors'), '"steps":"2"', '"steps":"x"'));
    await expectRefused(trainArgs('state-odd', ...EPOCHS), /state-odd\/state\.safetensors: damaged metadata "steps"/);
    const swap = (run: string) => cp(join(run, 'prompts.safetensors'), join(run, 'state.safetensors'));
    await changedRun('state-swapped', swap);
    await expectRefused(trainArgs('state-swapped', ...EPOCHS), /state-swapped\/state\.safetensors: /);
  });

  test('metrics that are shorter than they were, or no metrics', async () => {
    await changedRun('metrics-cut', (run) => truncate(join(run, 'metrics.jsonl'), 10));
    await expectRefused(
      trainArgs('metrics-cut', ...EPOCHS),
      /metrics-cut\/metrics\.jsonl: expected at least \d+ bytes, found 10/,
    );
    await changedRun('metrics-odd', async (run) => {
      const { length } = await readFile(join(run, 'metrics.jsonl'));
      await writeFile(join(run, 'metrics.jsonl'), 'x'.repeat(length));
    });
    await expectRefused(
      trainArgs('metrics-odd', ...EPOCHS),
      /metrics-odd\/metrics\.jsonl: expected the metrics of an epoch/,
    );
  });

  test('nothing: without its state a run begins anew, to the same result', async () => {
    await changedRun('anew', (run) => rm(join(run, 'state.safetensors')));
    await expectDone(trainArgs('anew', ...EPOCHS));
    for (const name of ['metrics.jsonl', 'prompts.safetensors', 'state.safetensors']) {
      const [anew, good] = [await readFile(scratchPath(`anew/${name}`)), await readFile(scratchPath(`good/${name}`))];
      expect(anew.equals(good), name).toBe(true);
    }
  });
});
