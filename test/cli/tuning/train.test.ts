/** `train`: the files of a run, its options, its determinism, on both devices. */
import { createHash } from 'node:crypto';
import { cp, readFile, rm } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { closeGpu, nodeAdapter } from '../../../src/node/gpu.js';
import { MODES, PRESETS, type TuningOptions } from '../../../src/ptdpc/index.js';
import { expectRefused, leastMemory, ptdpcJson, scratchPath, setUpProgram } from '../program.js';
import {
  CLASSES,
  difference,
  expectDone,
  lossesOf,
  makeImages,
  names,
  readMetrics,
  readPrompts,
  readRunFile,
  readRunJson,
  setUpModelAndImages,
  train,
  trainArgs,
  WORDS,
} from './support.js';

const hasAdapter = (await nodeAdapter().catch(() => null)) !== null;
closeGpu();

setUpProgram();
setUpModelAndImages();

/** Two epochs of 15 images in batches of 4. */
const SHORT = ['--epochs', '2', '--batch-size', '4'];

describe('the files of a run', () => {
  const options = { ...PRESETS.paper, epochs: 2, batchSize: 4 };
  let sha256: string;

  test('run.json has every option, the versions, the device and the hash of the checkpoint', async () => {
    const { stdout, stderr } = await train('first', ...SHORT);
    expect(stderr).toMatch(
      /^data set: folders, split as given by its files: 15 train, 6 val, 9 test\ndevice: CPU.*\nif interrupted, resume with: npx ptdpc train .*\nmode both without initial noise: the prompts of all 3 classes start equal and stay equal, so this trains 3 copies of one prompt; --init-noise 0\.3 lets them differ\ntraining 1,536 parameters \(3 prompts of 8 tokens\) on 15 images of 3 classes, 4 steps per epoch\nepoch 1\/2: /,
    );
    expect(stdout).toMatch(/^first: train accuracy \d+\.\d %, validation accuracy \d+\.\d %\n$/);
    expect(await names('first')).toEqual([
      ...['images.csv', 'metrics.jsonl', 'prompts.safetensors', 'run.json', 'state.safetensors'],
    ]);
    const weights = await readFile(scratchPath('model/model.safetensors'));
    sha256 = createHash('sha256').update(weights).digest('hex');
    expect(await readRunJson('first')).toEqual({
      learner: 'prompts',
      program: expect.stringMatching(/^\d+\.\d+\.\d+/),
      node: process.version,
      options,
      classes: CLASSES.map((folder, c) => ({ folder, word: WORDS[c] })),
      model: { directory: scratchPath('model'), sha256 },
      data: scratchPath('data'),
      dataset: { setting: 'folders', origin: { kind: 'given' } },
      images: {
        train: 15,
        val: 6,
        trainSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        valSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
      device: { kind: 'cpu', description: expect.stringMatching(/CPU/) },
      memory: 2 ** 30,
      strict: false,
      truncated: 'skip',
      truncatedRead: [],
      skipped: [],
    });
    const png = await readFile(scratchPath('data/val/sadness/01.png'));
    const images = (await readRunFile('first', 'images.csv')).toString().trimEnd().split('\n');
    expect(images).toHaveLength(1 + 15 + 6);
    expect(images.at(-1)).toBe(`val,sadness,${createHash('sha256').update(png).digest('hex')},val/sadness/01.png`);
  });

  test('metrics.jsonl has a line per step, the short last batch included, and one per epoch', async () => {
    const { lines, steps, epochs } = await readMetrics('first');
    const number = '-?[\\d.e-]+';
    const step = new RegExp(`^{"type":"step","epoch":\\d,"step":\\d,"loss":${number},"lr":0.1}$`);
    const epoch = new RegExp(
      `^{"type":"epoch","epoch":\\d,"trainLoss":${number},"trainAccuracy":${number},"valLoss":${number},"valAccuracy":${number}}$`,
    );
    expect(lines).toHaveLength(10);
    for (const [i, line] of lines.entries()) expect(line).toMatch(i % 5 === 4 ? epoch : step);
    expect(steps.map(({ epoch, step }) => [epoch, step])).toEqual([0, 0, 0, 0, 1, 1, 1, 1].map((e, s) => [e, s]));
    expect(epochs.map(({ epoch }) => epoch)).toEqual([0, 1]);
    for (const { epoch, trainLoss } of epochs) {
      const sum = steps.slice(4 * epoch, 4 * epoch + 4).reduce((sum, { loss }, i) => sum + loss * (i < 3 ? 4 : 3), 0);
      expect(trainLoss).toBeCloseTo(sum / 15, 10);
    }
  });

  test('prompts.safetensors has one tensor [C, L, D], and in its metadata what prediction needs', async () => {
    const prompts = await readPrompts('first');
    const { stdout } = await expectDone(['tokenize', '--model', 'model', options.template]);
    const tokens = (JSON.parse(stdout) as number[]).length - 2;
    expect(prompts.names()).toEqual(['prompts']);
    expect([prompts.shape('prompts'), prompts.dtype('prompts')]).toEqual([[3, tokens, 64], 'F32']);
    const metadata = Object.fromEntries(prompts.metadata);
    expect(metadata).toMatchObject({ format: 'ptdpc-prompts', version: '1', epochs: '2', model_sha256: sha256 });
    expect(JSON.parse(metadata.options!)).toEqual(options);
    expect(JSON.parse(metadata.classes!)).toEqual(CLASSES.map((folder, c) => ({ folder, word: WORDS[c] })));
  });
});

describe('options', () => {
  test.each(MODES.flatMap((mode) => (['paper', 'official'] as const).map((preset) => ({ mode, preset }))))(
    '$preset, $mode',
    async ({ mode, preset }) => {
      const out = `${preset}-${mode}`;
      await train(out, '--preset', preset, '--mode', mode, '--epochs', '1');
      expect((await readRunJson(out)).options).toEqual({ ...PRESETS[preset], mode, epochs: 1 });
      const { steps, epochs } = await readMetrics(out);
      expect([steps.length, epochs.length]).toEqual([1, 1]);
      expect(steps[0]!.lr).toBe(preset === 'paper' ? 0.1 : 0.01);
      const [sets] = (await readPrompts(out)).shape('prompts');
      expect(sets).toBe(mode === 'both' || mode === 'cs' ? 3 : 1);
    },
  );

  test('each one replaces what the preset says', async () => {
    const chosen: TuningOptions = {
      preset: 'official',
      mode: 'is',
      template: 'a scene of',
      initNoise: 0.25,
      weight: 'cosine',
      learnSot: false,
      loss: 'ce',
      logitScale: 12.5,
      optimizer: 'sgd',
      learningRate: 0.02,
      stepSize: 1,
      gamma: 0.5,
      epochs: 3,
      batchSize: 7,
      shuffle: false,
      seed: 9,
      keep: 'best',
    };
    const given = [
      '--preset official --mode is --weight cosine --no-learn-sot --init-noise 0.25 --loss ce --logit-scale 12.5 --optimizer sgd',
    ];
    given.push(
      '--lr 0.02 --step-size 1 --gamma 0.5 --epochs 3 --batch-size 7 --no-shuffle --seed 9 --keep best --memory 64MiB',
    );
    given.push('--classes sadness=deep_sorrow,awe --strict --no-cache');
    await train('chosen', '--template', 'a scene of', ...given.flatMap((line) => line.split(' ')));
    const record = await readRunJson('chosen');
    expect(record).toMatchObject({ options: chosen, memory: 2 ** 26, strict: true, images: { train: 10, val: 4 } });
    expect(record.classes).toEqual([
      { folder: 'sadness', word: 'deep_sorrow' },
      { folder: 'awe', word: 'awe' },
    ]);
    const { steps } = await readMetrics('chosen');
    expect(steps.map(({ lr }) => lr)).toEqual([0.02, 0.02, 0.01, 0.01, 0.005, 0.005]);

    await train(
      'chosen-2',
      ...'--weight half --learn-sot --loss double-softmax --optimizer adamw --epochs 1'.split(' '),
    );
    const other = (await readRunJson('chosen-2')).options;
    expect(other).toEqual({
      ...PRESETS.paper,
      ...{ weight: 'half', learnSot: true, loss: 'double-softmax', optimizer: 'adamw', epochs: 1 },
    });
  });

  test('--no-shuffle takes images in class order, then by file name', async () => {
    // At this learning rate nothing changes, so that each step shows the loss of its one image.
    await train('ordered', '--no-shuffle', '--batch-size', '1', '--lr', '1e-20', '--epochs', '1');
    await expectDone(['eval', '--run', 'ordered', '--data', 'data', '--split', 'train', '--device', 'cpu']);
    const rows = (await readRunFile('ordered', 'results/data-train.csv')).toString().trimEnd().split('\n').slice(1);
    const losses = rows.map((row) => {
      const [, actual, , ...probabilities] = row.split(',');
      return -Math.log(Number(probabilities[WORDS.indexOf(actual as (typeof WORDS)[number])]));
    });
    const inOrder = CLASSES.flatMap((name) => [0, 1, 2, 3, 4].map((i) => `train/${name}/0${i}.png`));
    expect(rows.map((row) => row.split(',')[0])).toEqual(inOrder);
    expect(difference(lossesOf(await readMetrics('ordered')), losses)).toBeLessThan(1e-4);
    expect(new Set(losses.map((loss) => loss.toFixed(3))).size).toBeGreaterThan(10);
  });

  test('without validation images the metrics say null', async () => {
    await makeImages(scratchPath('only-train'), { train: 2 });
    const last = await ptdpcJson(trainArgs('without-val', '--data', 'only-train', '--epochs', '1'));
    const numbers = { trainLoss: expect.any(Number), trainAccuracy: expect.any(Number) };
    const none = { valLoss: null, valAccuracy: null, skipped: [], truncated: [], learningRate: 0.1, choice: [] };
    expect(last).toEqual({ run: 'without-val', type: 'epoch', epoch: 0, ...numbers, ...none });
    expect((await readMetrics('without-val')).epochs[0]).toMatchObject({ valLoss: null, valAccuracy: null });
  });
});

describe('the result', () => {
  const options = [...SHORT, '--seed', '5'];

  test('is the same to the byte for the same seed, cached features or not, and another for another seed', async () => {
    await train('seed-a', ...options);
    await train('seed-b', ...options, '--no-cache');
    for (const name of ['metrics.jsonl', 'prompts.safetensors']) {
      expect((await readRunFile('seed-b', name)).equals(await readRunFile('seed-a', name)), name).toBe(true);
    }
    await train('seed-c', ...SHORT, '--seed', '6');
    const [a, c] = [lossesOf(await readMetrics('seed-a')), lossesOf(await readMetrics('seed-c'))];
    expect(difference(a, c)).toBeGreaterThan(1e-3);
  });

  test.each(['both', 'cs'])('does not depend on the memory budget (%s)', async (mode) => {
    await train(`ample-${mode}`, ...SHORT, '--mode', mode);
    const memory = await leastMemory(trainArgs(`least-${mode}`, ...SHORT, '--mode', mode));
    await train(`tight-${mode}`, ...SHORT, '--mode', mode, '--memory', memory);
    const [ample, tight] = [await readMetrics(`ample-${mode}`), await readMetrics(`tight-${mode}`)];
    expect(difference(lossesOf(tight), lossesOf(ample))).toBeLessThan(1e-5);
    expect(tight.epochs[1]!.valLoss).toBeCloseTo(ample.epochs[1]!.valLoss!, 5);
  });

  test.skipIf(!hasAdapter)('is the same on WebGPU', async () => {
    await train('on-cpu', ...SHORT);
    const { stderr } = await train('on-webgpu', ...SHORT, '--device', 'webgpu');
    expect(stderr).toMatch(/^device: WebGPU.*; asked for$/m);
    expect((await readRunJson('on-webgpu')).device).toMatchObject({ kind: 'webgpu' });
    const [cpu, gpu] = [await readMetrics('on-cpu'), await readMetrics('on-webgpu')];
    expect(difference(lossesOf(gpu), lossesOf(cpu))).toBeLessThan(1e-3);
    expect(
      difference(
        gpu.epochs.map(({ valLoss }) => valLoss!),
        cpu.epochs.map(({ valLoss }) => valLoss!),
      ),
    ).toBeLessThan(1e-3);
    await expectRefused(trainArgs('on-webgpu', ...SHORT), /another device \(webgpu, now cpu\)/);
  });
});

describe('--lr auto', () => {
  const AUTO = ['--lr', 'auto', '--epochs', '2', '--batch-size', '4'];

  test('keeps the run of the best rate by validation, and the others beside it; again, nothing is trained', async () => {
    const { stdout, stderr } = await train('auto', ...AUTO);
    const tried = [...stderr.matchAll(/^learning rate (\S+): validation accuracy (\d+\.\d) %$/gm)];
    expect(tried.map(([, rate]) => rate)).toEqual(['0.1', '0.01', '0.001']);
    const [, chosen] = /^auto: learning rate (\S+), train accuracy/.exec(stdout)!;
    const best = Math.max(...tried.map(([, , accuracy]) => Number(accuracy)));
    expect(Number(tried.find(([, rate]) => rate === chosen)![2])).toBe(best);
    expect(await names('auto')).toEqual([
      ...['images.csv', 'metrics.jsonl', 'prompts.safetensors', 'run.json', 'state.safetensors', 'trials'],
    ]);
    expect((await readRunJson('auto')).options).toMatchObject({ learningRate: Number(chosen) });
    // The same as a training at that rate alone.
    await train('single', ...AUTO.slice(2), '--lr', chosen!);
    for (const file of ['prompts.safetensors', 'metrics.jsonl', 'state.safetensors'])
      expect((await readRunFile('auto', file)).equals(await readRunFile('single', file)), file).toBe(true);
    // A copy that was cut short is a run that starts again, and ends the same.
    await rm(scratchPath('auto/state.safetensors'));
    await train('auto', ...AUTO);
    expect(
      (await readRunFile('auto', 'state.safetensors')).equals(await readRunFile('single', 'state.safetensors')),
    ).toBe(true);
    const again = await train('auto', ...AUTO);
    expect(again.stdout).toBe(stdout);
    expect(again.stderr).not.toMatch(/^training /m);
  });

  test('without validation images, holds out a tenth for the choice and trains on all', async () => {
    await cp(scratchPath('data'), scratchPath('no-val-data'), { recursive: true });
    await rm(scratchPath('no-val-data/val'), { recursive: true });
    await train('held', ...AUTO, '--data', 'no-val-data');
    const trial = await readRunJson('held/trials/lr-0.01');
    const { images } = await readRunJson('held');
    expect([trial.images, images]).toMatchObject([
      { train: 12, val: 3 },
      { train: 15, val: null },
    ]);
  });
});

describe('--config', () => {
  test('repeats a run, and changes what is given', async () => {
    await train('one', '--epochs', '1', '--batch-size', '4', '--mode', 'cs', '--seed', '3', '--no-shuffle');
    const again = ['train', '--config', 'one', '--device', 'cpu'];
    await expectDone([...again, '--out', 'two']);
    await expectDone([...again.with(2, 'one/run.json'), '--out', 'three', '--lr', '0.01']);
    expect(
      (await readRunFile('two', 'prompts.safetensors')).equals(await readRunFile('one', 'prompts.safetensors')),
    ).toBe(true);
    const { device: _, ...record } = await readRunJson('one');
    expect(await readRunJson('two')).toMatchObject(record);
    const { options } = await readRunJson('three');
    expect(options).toEqual({ ...(record.options as object), learningRate: 0.01 });
  });

  test('is not mixed with a preset, and needs a run of prompts', async () => {
    await expectRefused(
      ['train', '--config', 'one', '--preset', 'paper', '--out', 'x'],
      /--preset .* cannot be used with/,
    );
    await expectRefused(['train', '--config', 'nowhere', '--out', 'x'], /nowhere\/run\.json: not found/);
    await expectRefused(
      ['train', '--out', 'x', '--data', 'data'],
      /--model <dir> or --config <run>: missing; npx ptdpc train --help has the options$/,
    );
    await expectRefused(
      ['train', '--out', 'x', '--model', 'model'],
      /--data <path> or --config <run>: missing; npx ptdpc train --help/,
    );
  });
});
