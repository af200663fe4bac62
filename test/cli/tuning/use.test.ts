/** `eval`, `predict` and `zeroshot` on the run of a short training. */
import { copyFile, cp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { printEvaluation } from '../../../src/cli/evaluation.js';
import { evaluationJson } from '../../../src/node/results.js';
import { comparePaired, evaluate, wilsonInterval } from '../../../src/ptdpc/index.js';
import { expectRefused, leastMemory, ptdpcJson, scratchPath, setUpProgram } from '../program.js';
import {
  expectDone,
  names,
  noisyPng,
  readMetrics,
  readRunFile,
  readRunJson,
  setUpModelAndImages,
  train,
  WORDS,
} from './support.js';

interface EvaluationJson {
  split: string;
  count: number;
  accuracy: number;
  loss: number;
  classes: string[];
  accuracyInterval: [number, number];
  classesWithoutImages: string[];
  perClassAccuracy: (number | null)[];
  perClassRecall: (number | null)[];
  perClassPrecision: (number | null)[];
  perClassF1: (number | null)[];
  balancedAccuracy: number;
  macroF1: number;
  calibrationError: number;
  confusionShares: number[][];
  confusion: number[][];
  run: string;
  skipped: unknown[];
  result: string;
  harmonicMean: number | null;
  zeroShot: {
    accuracy: number;
    result: string;
    difference: number;
    differenceInterval: [number, number];
    onlyZeroShot: number;
    onlyRun: number;
    pValue: number;
  } | null;
}

interface PredictJson {
  run: string;
  predictions: { path: string; predicted: string; probabilities: Record<string, number> }[];
  skipped: { path: string; reason: string }[];
  truncated: string[];
}

setUpProgram();
setUpModelAndImages();

const EVAL = ['eval', '--run', 'run', '--data', 'data', '--device', 'cpu'];
const PREDICT = ['predict', '--run', 'run', '--device', 'cpu'];
const ZERO_SHOT = ['zeroshot', '--model', 'model', '--data', 'data', '--device', 'cpu'];

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

/** The largest of a list of numbers stands here. */
const place = (numbers: readonly number[]) => numbers.indexOf(Math.max(...numbers));

beforeAll(async () => {
  // A name that has to be quoted in CSV.
  await writeFile(scratchPath('data/test/sadness/so, "sad".png'), noisyPng(2, 99));
  await train('run', '--epochs', '2', '--batch-size', '4');
});

/** The predictions of the test images, without their header; the quoted path is the only cell with a comma. */
async function readPredictions(run = 'run') {
  const [header, ...lines] = (await readRunFile(run, 'results/data-test.csv')).toString().trimEnd().split('\n');
  expect(header).toBe(`path,actual,predicted,${WORDS.map((word) => `p(${word})`).join(',')}`);
  return lines.map((line) => {
    const cells = line.split(',');
    const [actual, predicted] = cells.slice(-5, -3) as [string, string];
    return { path: cells.slice(0, -5).join(','), actual, predicted, probabilities: cells.slice(-3).map(Number) };
  });
}

describe('eval', () => {
  test('writes measures and predictions, which agree with each other and with what it prints', async () => {
    const json = await ptdpcJson<EvaluationJson>(EVAL);
    const { run, skipped, result, zeroShot, harmonicMean, ...printed } = json;
    expect([run, skipped, result, harmonicMean]).toEqual(['run', [], 'run/results/data-test.json', null]);
    expect(await readRunJson('run', 'results/data-test.json')).toMatchObject({ ...printed, skipped: [], epochs: 2 });
    expect(json).toMatchObject({ split: 'test', count: 10, classes: WORDS });

    const rows = await readPredictions();
    expect(rows.map(({ actual }) => actual)).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 2].map((c) => WORDS[c]));
    expect(rows.at(-1)!.path).toBe('"test/sadness/so, ""sad"".png"');
    const counts = WORDS.map((a) =>
      WORDS.map((p) => rows.filter(({ actual, predicted }) => actual === a && predicted === p).length),
    );
    expect(json.confusion).toEqual(counts);
    for (const { predicted, probabilities } of rows) {
      expect(sum(probabilities)).toBeCloseTo(1, 6);
      expect(predicted).toBe(WORDS[place(probabilities)]);
    }
    expect(json.accuracy).toBeCloseTo(sum(counts.map((row, c) => row[c]!)) / 10, 12);
    expect(json.perClassAccuracy).toEqual(counts.map((row, c) => row[c]! / sum(row)));
    expect(json.perClassRecall).toEqual(json.perClassAccuracy);
    expect(json.confusionShares).toEqual(counts.map((row) => row.map((n) => n / sum(row))));
    const f1 = counts.map((row, c) => (2 * row[c]!) / (sum(row) + sum(counts.map((other) => other[c]!))));
    expect(json.perClassF1).toEqual(f1);
    expect(json.macroF1).toBeCloseTo(sum(f1) / 3, 12);
    expect(json.balancedAccuracy).toBeCloseTo(sum(counts.map((row, c) => row[c]! / sum(row))) / 3, 12);
    expect(json.accuracyInterval).toEqual(wilsonInterval(json.accuracy, 10));
    expect(json.classesWithoutImages).toEqual([]);
    // The calibration error from its definition, bin by bin.
    const gaps = Array.from({ length: 15 }, (_, bin) => {
      const own = rows.filter(({ probabilities }) => Math.ceil(Math.max(...probabilities) * 15) - 1 === bin);
      return Math.abs(sum(own.map((row) => Math.max(...row.probabilities) - Number(row.actual === row.predicted))));
    });
    expect(json.calibrationError).toBeCloseTo(sum(gaps) / 10, 5);
    const losses = rows.map(({ actual, probabilities }) => -Math.log(probabilities[WORDS.indexOf(actual as 'awe')]!));
    expect(json.loss).toBeCloseTo(sum(losses) / 10, 5);
  });

  test('says which classes no image is of, beside measures that say nothing of them', () => {
    const classes = WORDS.map((word) => ({ folder: word, word }));
    // Two images of the first class, one of the third; the second is predicted once and is the truth of none.
    const evaluation = evaluate(Float32Array.of(2, 1, 0, 0, 2, 1, 0, 1, 2), Int32Array.of(0, 0, 2), 3);
    const json = evaluationJson(classes, evaluation);
    expect(json).toMatchObject({ classesWithoutImages: [WORDS[1]], perClassAccuracy: [0.5, null, 1] });
    expect(json.macroF1).toBeCloseTo((2 / 3 + 0 + 1) / 3, 12);
    expect(json.balancedAccuracy).toBeCloseTo((1 / 2 + 1) / 2, 12);
    const print = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    printEvaluation('test', classes, evaluation);
    const printed = print.mock.calls.map(([text]) => String(text)).join('');
    print.mockRestore();
    expect(printed).toMatch(/^95 % interval 20\.8 % to 93\.9 %, balanced accuracy 75\.0 %, macro-F1 55\.6 %/m);
    expect(printed).toContain(
      `\nno images of ${WORDS[1]}: balanced accuracy and macro-F1 are means over the classes that occur`,
    );
  });

  test('prints accuracy and confusion for people', async () => {
    const { stdout, stderr } = await expectDone(EVAL);
    expect(stderr).toMatch(/^run\/results\/data-test\.json: evaluated before, with the same result$/m);
    expect(stdout).toMatch(
      /^test: accuracy \d+\.\d % of 10 images, loss \d\.\d{4}\n95 % interval \d+\.\d % to \d+\.\d %, balanced accuracy \d+\.\d %, macro-F1 \d+\.\d %, expected calibration error \d+\.\d %\n\nclass +images +accuracy +precision +F1\nawe /,
    );
    expect(stdout).toMatch(
      /\nsadness +\d+ +\d+\.\d %( +(-|\d+\.\d %)){2}\n\ntrue \\ predicted +awe +great joy +sadness\n/,
    );
    expect(stdout).toMatch(
      /\nsadness( +\d+){3}\n\nzero-shot on the same images: accuracy \d+\.\d %; difference [+-]?\d+\.\d points, 95 % interval .* \(paired bootstrap\)\nonly the prompts are right about \d+ images?, only zero-shot about \d+: p = [\d.]+ \(McNemar's exact test\)\n$/,
    );
  });

  test('compares prompts with CLIP without training, image by image, and keeps that as a run beside them', async () => {
    const { accuracy, zeroShot } = await ptdpcJson<EvaluationJson>(EVAL);
    const alone = await ptdpcJson<EvaluationJson>(ZERO_SHOT);
    expect(zeroShot).toMatchObject({ accuracy: alone.accuracy, result: 'run/zero-shot/results/data-test.json' });
    expect(await readRunJson('run/zero-shot', 'results/data-test.json')).toMatchObject({ loss: alone.loss, epochs: 0 });
    const right = async (run: string) =>
      Uint8Array.from(await readPredictions(run), ({ actual, predicted }) => Number(actual === predicted));
    const expected = comparePaired(await right('run/zero-shot'), await right('run'));
    expect(zeroShot!.difference).toBeCloseTo(accuracy - alone.accuracy, 12);
    expect([zeroShot!.onlyZeroShot, zeroShot!.onlyRun]).toEqual([expected.onlyFirst, expected.onlySecond]);
    expect([zeroShot!.differenceInterval, zeroShot!.pValue]).toEqual([expected.interval, expected.pValue]);
    // It is a run like any other.
    const again = await ptdpcJson<EvaluationJson>(['eval', '--run', 'run/zero-shot', '--device', 'cpu']);
    expect([again.loss, again.zeroShot]).toEqual([alone.loss, null]);
  });

  test('leaves CLIP without training out when told to', async () => {
    await cp(scratchPath('run'), scratchPath('alone'), { recursive: true });
    await rm(scratchPath('alone/zero-shot'), { recursive: true, force: true });
    expect(
      await ptdpcJson<EvaluationJson>(['eval', '--run', 'alone', '--device', 'cpu', '--no-zero-shot']),
    ).toMatchObject({
      zeroShot: null,
    });
    expect(await names('alone')).not.toContain('zero-shot');
  });

  test('does not depend on the memory budget', async () => {
    const { loss } = await ptdpcJson<EvaluationJson>(EVAL);
    const tight = await ptdpcJson<EvaluationJson>([...EVAL, '--memory', await leastMemory(EVAL)]);
    expect(tight.loss).toBeCloseTo(loss, 6);
    await expectRefused([...EVAL, '--memory', '1KiB'], /--memory: /);
  });

  test('finds on the validation images what training found there', async () => {
    const { loss, accuracy } = await ptdpcJson<EvaluationJson>([...EVAL, '--split', 'val']);
    const { valLoss, valAccuracy } = (await readMetrics('run')).epochs.at(-1)!;
    expect(loss).toBeCloseTo(valLoss!, 5);
    expect(accuracy).toBe(valAccuracy);
    expect(await readRunJson('run', 'results/data-val.json')).toMatchObject({ split: 'val', count: 6 });
    expect(await readRunJson('run', 'results/data-test.json')).toMatchObject({ split: 'test', count: 10 });
  });
});

describe('--truncated read', () => {
  const CUT = ['cut/test/sadness/cut.png', 'cut/train/awe/cut.png'] as const;

  beforeAll(async () => {
    await cp(scratchPath('data'), scratchPath('cut'), { recursive: true });
    for (const path of CUT) await writeFile(scratchPath(path), noisyPng(1, 7).subarray(0, -300));
  });

  test('goes from a training to its record, its evaluations and their results', async () => {
    const [testImage, trainImage] = CUT.map((path) => scratchPath(path));
    const args = ['train', '--model', 'model', '--data', 'cut', '--device', 'cpu', '--epochs', '1', '--json'];
    const { stdout, stderr } = await expectDone([...args, '--out', 'read', '--truncated', 'read']);
    const trained = JSON.parse(stdout) as PredictJson;
    expect(trained.truncated.map((path) => scratchPath(path))).toEqual([trainImage]);
    expect(stderr).toMatch(/1 truncated image read as far as they go:\n {2}.*cut\.png\n$/);
    const truncatedRead = [{ split: 'train', path: 'train/awe/cut.png' }];
    expect(await readRunJson('read')).toMatchObject({ truncated: 'read', truncatedRead, strict: false });

    const evaluate = ['eval', '--run', 'read', '--device', 'cpu'];
    const own = await ptdpcJson<EvaluationJson & PredictJson>(evaluate);
    expect(own.truncated).toEqual([testImage]);
    const written = await readRunJson('read', 'results/cut-test.json');
    expect(written).toMatchObject({ truncated: ['test/sadness/cut.png'], skipped: [], count: own.count });
    const skipping = await ptdpcJson<EvaluationJson & PredictJson>([...evaluate, '--truncated', 'skip']);
    expect(skipping).toMatchObject({ count: own.count - 1, truncated: [], skipped: [{ path: testImage }] });
    const predicted = await ptdpcJson<PredictJson>(['predict', '--run', 'read', '--device', 'cpu', CUT[0]]);
    expect(predicted).toMatchObject({ truncated: [CUT[0]], skipped: [] });

    const zero = ['zeroshot', '--model', 'model', '--data', 'cut', '--device', 'cpu'];
    expect(await ptdpcJson(zero)).toMatchObject({ count: own.count - 1, truncated: [] });
    expect(await ptdpcJson([...zero, '--truncated', 'read'])).toMatchObject({ count: own.count, truncated: [CUT[0]] });
    const probe = ['probe', '--model', 'model', '--data', 'cut', '--device', 'cpu', '--epochs', '1', '--out', 'probe'];
    const said = (await expectDone([...probe, '--truncated', 'read'])).stderr;
    expect(said).toMatch(/2 truncated images read as far as they go:/);
    expect(await readRunJson('probe')).toMatchObject({
      truncated: 'read',
      truncatedRead: [{ split: 'train', path: 'train/awe/cut.png' }],
    });
  });
});

describe('predict', () => {
  test('gives every class a probability, in sum 1, and agrees with eval', async () => {
    await expectDone(EVAL);
    const { run, predictions, skipped } = await ptdpcJson<PredictJson>([...PREDICT, 'data/test']);
    expect([run, skipped]).toEqual(['run', []]);
    const rows = await readPredictions();
    expect(predictions.map(({ predicted }) => predicted)).toEqual(rows.map(({ predicted }) => predicted));
    for (const [i, { path, predicted, probabilities }] of predictions.entries()) {
      expect(Object.keys(probabilities)).toEqual([...WORDS]);
      const values = Object.values(probabilities);
      expect(sum(values)).toBeCloseTo(1, 6);
      expect(predicted).toBe(WORDS[place(values)]);
      if (!path.includes('"')) expect(path).toBe(`data/${rows[i]!.path}`);
      for (const [c, value] of values.entries()) expect(value).toBeCloseTo(rows[i]!.probabilities[c]!, 5);
    }
  });

  test('works without the data that the prompts were tuned on, from any folder and any model path', async () => {
    await copyFile(scratchPath('data/test/awe/00.png'), scratchPath('new.png'));
    await rename(scratchPath('data'), scratchPath('gone'));
    await rename(scratchPath('model'), scratchPath('moved'));
    try {
      const { stdout, stderr } = await expectDone([...PREDICT, 'new.png', '--model', 'moved']);
      const share = '\\d+\\.\\d %';
      expect(stdout).toMatch(new RegExp(`^new\\.png(  +(awe|great joy|sadness) ${share}){3}\n$`));
      expect(stderr).toMatch(/^device: .*\n$/);
    } finally {
      await rename(scratchPath('moved'), scratchPath('model'));
      await rename(scratchPath('gone'), scratchPath('data'));
    }
  });

  test('skips what is no image, and says so', async () => {
    await writeFile(scratchPath('broken.jpg'), 'this is text');
    const { stdout, stderr } = await expectDone([...PREDICT, 'data/test/awe/00.png', 'broken.jpg']);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/\n1 unreadable image skipped:\n {2}broken\.jpg: .*\n$/);
  });
});

describe('zeroshot', () => {
  test('puts the class word in place of {}, or last', async () => {
    const of = (template: string) =>
      ptdpcJson<EvaluationJson & { templates: string[] }>([...ZERO_SHOT, '--template', template]);
    const [last, placed, inside] = [await of('a scene of'), await of('a scene of {}'), await of('a {} scene')];
    expect({ ...placed, templates: [] }).toEqual({ ...last, templates: [] });
    const both = await ptdpcJson<EvaluationJson & { templates: string[] }>([
      ...[...ZERO_SHOT, '--template', 'a scene of', '--template', 'a {} scene'],
    ]);
    expect(both.templates).toEqual(['a scene of', 'a {} scene']);
    expect(both.loss).not.toBeCloseTo(last.loss, 4);
    expect(inside.loss).not.toBeCloseTo(last.loss, 3);
    for (const { classes, count, confusion } of [last, inside]) {
      expect([classes, count, sum(confusion.flat())]).toEqual([[...WORDS], 10, 10]);
    }
  });

  test('takes the template of the paper, the classes of the data, and another split when told', async () => {
    const { stdout } = await expectDone(ZERO_SHOT);
    expect(stdout).toMatch(/^zero-shot, test: accuracy \d+\.\d % of 10 images, loss /);
    const some = await ptdpcJson<EvaluationJson>([...ZERO_SHOT, '--split', 'train', '--classes', 'sadness=sorrow,awe']);
    expect(some).toMatchObject({ split: 'train', count: 10, classes: ['sorrow', 'awe'] });
  });
});

describe('a run of zero-shot', () => {
  const OUT = [...ZERO_SHOT, '--out', 'zero-shot'];

  test('holds its result; eval adds others; asked twice, it says so', async () => {
    const first = await ptdpcJson<EvaluationJson & { result: string }>(OUT);
    expect(first.result).toBe('zero-shot/results/data-test.json');
    expect(await readRunJson('zero-shot')).toMatchObject({ learner: 'zero-shot', templates: [expect.any(String)] });
    expect((await expectDone(OUT)).stderr).toMatch(/data-test\.json: evaluated before, with the same result$/m);
    const again = await ptdpcJson<EvaluationJson>(['eval', '--run', 'zero-shot', '--device', 'cpu']);
    expect([again.loss, again.accuracy]).toEqual([first.loss, first.accuracy]);
    const val = await ptdpcJson<EvaluationJson>(['eval', '--run', 'zero-shot', '--split', 'val', '--device', 'cpu']);
    expect(await readRunJson('zero-shot', 'results/data-val.json')).toMatchObject({ split: 'val', loss: val.loss });
    expect(await readRunJson('zero-shot', 'results/data-test.json')).toMatchObject({ split: 'test', epochs: 0 });
  });

  test('predicts, is reported, and has no prompts to explain', async () => {
    const predict = ['predict', '--run', 'zero-shot', '--device', 'cpu', 'data/test'];
    const { predictions } = await ptdpcJson<PredictJson>(predict);
    const rows = await readPredictions('zero-shot');
    expect(predictions.map(({ predicted }) => predicted)).toEqual(rows.map(({ predicted }) => predicted));
    const { stdout } = await expectDone(['report', '--run', 'zero-shot', '--device', 'cpu']);
    expect(await readFile(scratchPath(stdout.trim()), 'utf8')).toMatch(
      /CLIP without training, zero-shot over 3 classes/,
    );
    await expectRefused(
      ['explain', '--run', 'zero-shot'],
      /zero-shot: a run of learner zero-shot; expected one with prompts/,
    );
  });

  test('is compared with other runs, on the images that they share', async () => {
    await expectDone([...EVAL]);
    await expectRefused(['report', '--run', 'run', 'zero-shot'], /--out <file>: missing; several runs/);
    const { stdout } = await expectDone(['report', '--run', 'run', 'zero-shot', '--out', 'both.html']);
    expect(stdout).toBe('both.html\n');
    const page = await readFile(scratchPath('both.html'), 'utf8');
    expect(page.match(/<h2[^>]*>data, [^<]*/g)!.map((title) => title.replace(/<[^>]*>/, ''))).toEqual([
      ...['data, 10 test images', 'data, 6 val images'],
    ]);
    const tables = [...page.matchAll(/aria-label="([^"]*)"><table.*?<\/table>/gs)];
    const rowsOf = (label: string) =>
      tables.flatMap(([table, name]) =>
        name === label ? [[...table.matchAll(/<th scope="row">([^<]*)</g)].map(([, heading]) => heading)] : [],
      );
    const both = ['run', 'zero-shot'];
    // The metrics of each group twice (under the chart, and on their own), and the accuracy of each class.
    expect(rowsOf('Metrics of each run')).toEqual([both, both, both, both]);
    expect(rowsOf('Accuracy per class')).toEqual([both, both]);
    expect(rowsOf('Pairs of runs compared image by image')).toEqual([['run → zero-shot'], ['run → zero-shot']]);
  });

  test('is not mixed with other texts or another learner', async () => {
    await expectRefused([...OUT, '--template', 'another'], /--out .*zero-shot: .* with other texts, classes or model/);
    await expectRefused([...ZERO_SHOT, '--out', 'run'], /--out .*run: it holds a run of learner prompts/);
    await expectRefused(
      ['train', '--model', 'model', '--data', 'data', '--device', 'cpu', '--out', 'zero-shot'],
      /zero-shot: a run of learner zero-shot; expected one with prompts/,
    );
  });
});

describe('prompts without the folder of their run', () => {
  beforeAll(() => copyFile(scratchPath('run/prompts.safetensors'), scratchPath('lone.safetensors')));
  const LONE = ['--run', 'lone.safetensors', '--model', 'model', '--device', 'cpu'];

  test('evaluate and predict as those in it', async () => {
    const inFolder = await ptdpcJson<EvaluationJson>(EVAL);
    const alone = await ptdpcJson<EvaluationJson>(['eval', ...LONE, '--data', 'data']);
    // Which images the run was trained on stands in its folder.
    expect(alone).toEqual({ ...inFolder, run: 'lone.safetensors', zeroShot: null, seen: null, result: null });
    const picture = 'data/test/awe/00.png';
    const { predictions } = await ptdpcJson<PredictJson>([...PREDICT, picture]);
    expect((await ptdpcJson<PredictJson>(['predict', ...LONE, picture])).predictions).toEqual(predictions);
  });

  test('need to be told where model and data are', async () => {
    await expectRefused(['predict', '--run', 'lone.safetensors', 'data/test'], /^ptdpc: lone.safetensors: .*--model/);
    await expectRefused(['eval', ...LONE], /^ptdpc: lone.safetensors: .*--data/);
    await expectRefused(['predict', '--run', 'data/test/awe/00.png', '--model', 'model', 'data'], /00\.png: /);
  });
});
