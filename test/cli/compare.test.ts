/** `compare` and `metrics`: runs side by side by the results in their folders. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { sha256 } from '../../src/node/feature-segment.js';
import { writeResult } from '../../src/node/results.js';
import { comparePaired, evaluate, holmAdjusted, type Split, wilsonInterval } from '../../src/ptdpc/index.js';
import { epochOf, runRecord, stepOf } from '../support/run-record.js';
import { expectRefused, ptdpc, ptdpcJson, scratchPath, setUpProgram } from './program.js';

setUpProgram();

const COUNT = 20;
const labels = Int32Array.from({ length: COUNT }, (_, i) => i % 2);
/** Which images each run classifies correctly. */
const RIGHT: Readonly<Record<string, (i: number) => boolean>> = {
  first: (i) => i < 12,
  second: (i) => i >= 2,
  third: (i) => i % 3 > 0,
};
const correctOf = (run: string) => Uint8Array.from(labels, (_, i) => Number(RIGHT[run]!(i)));

/** Writes the result of a run that is right about these images. `split` and `seed` say which images they are. */
async function writeRunResult(run: string, isRight: (i: number) => boolean, split: Split, seed: string): Promise<void> {
  const root = scratchPath('data');
  const logits = Float32Array.from({ length: 2 * COUNT }, (_, k) =>
    (k % 2 === labels[k >> 1]) === isRight(k >> 1) ? 2 : 0,
  );
  const votes =
    run === 'first' ? undefined : Float32Array.from(logits, (_, k) => (k % 2 === labels[k >> 1] ? 0.75 : 0.25));
  const paths = Array.from(labels, (_, i) => join(root, `${split}/${i}.png`));
  await writeResult(scratchPath(run), {
    ...{ dataset: { root, setting: 'folders', origin: { kind: 'given' } }, split, classes: runRecord().classes },
    images: { labels, paths, hashes: paths.map((_, i) => sha256(`${seed} ${i}`)), truncated: [], skipped: [] },
    ...{ evaluation: evaluate(logits, labels, 2, votes), epochs: 5, device: 'CPU' },
  });
}

async function writeRun(run: string): Promise<void> {
  await mkdir(scratchPath(run), { recursive: true });
  await writeFile(scratchPath(`${run}/run.json`), JSON.stringify(runRecord()));
}

beforeAll(async () => {
  for (const [run, isRight] of Object.entries(RIGHT)) {
    await writeRun(run);
    await writeRunResult(run, isRight, 'test', 'same');
    await writeRunResult(run, isRight, 'val', run);
  }
  await writeRun('other');
  await writeRunResult('other', () => true, 'test', 'others');
  await writeRun('young');
  const lines = [0, 1].flatMap((epoch) => [stepOf(epoch), { ...epochOf(epoch), valLoss: 0.5, valAccuracy: 0.75 }]);
  await writeFile(scratchPath('young/metrics.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
});

describe('compare', () => {
  interface Compared {
    groups: {
      split: string;
      count: number;
      runs: { run: string; accuracy: number; balancedAccuracy: number }[];
      pairs: Record<string, unknown>[];
    }[];
  }

  test('tests every pair of runs on the images that they share, by content, with p-values adjusted for all pairs', async () => {
    const { groups } = await ptdpcJson<Compared>(['compare', 'first', 'second', 'third', 'other']);
    // Each was validated on images of its own, and the other run tested on others of the same name.
    expect(groups.map(({ split, count }) => [split, count])).toEqual([['test', COUNT]]);
    const [{ runs, pairs }] = groups as [Compared['groups'][number]];
    expect(runs.map(({ run, accuracy }) => [run, accuracy])).toEqual([
      ['first', 12 / 20],
      ['second', 18 / 20],
      ['third', 13 / 20],
    ]);
    const expected = [
      ['first', 'second'],
      ['first', 'third'],
      ['second', 'third'],
    ].map(([a, b]) => ({ first: a!, second: b!, ...comparePaired(correctOf(a!), correctOf(b!)) }));
    const adjusted = holmAdjusted(expected.map(({ pValue }) => pValue));
    expect(pairs).toEqual(
      expected.map(({ interval, count: _, ...pair }, i) => ({
        ...{ ...pair, differenceInterval: interval, adjustedPValue: adjusted[i] },
      })),
    );
  });

  test('prints a table of the runs and one of the pairs', async () => {
    const { code, stdout } = await ptdpc(['compare', 'first', 'second']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^data, 20 test images\n\nrun +learner +accuracy +balanced +macro-F1 +loss\nfirst +pt-dpc +60\.0 % +60\.0 % .*\nsecond +pt-dpc +90\.0 %/,
    );
    expect(stdout).toMatch(/\nfirst, second +\+30\.0 +[+-]?\d+\.\d to \+\d+\.\d +2 +8 +0\.11 +0\.11\n$/);
  });

  test('refuses one run alone, runs without results, and runs on other images', async () => {
    await expectRefused(['compare', 'first'], /compare: expected at least two runs, found 1/);
    await expectRefused(['compare', 'first', 'young'], /young: not evaluated yet; npx ptdpc eval --run young writes/);
    await expectRefused(['compare', 'first', 'other'], /expected two runs with results on the same images and classes/);
    await expectRefused(['compare', 'first', 'nowhere'], /nowhere.run\.json: not found/);
  });
});

describe('metrics', () => {
  const rows = async (...args: string[]) => {
    const { code, stdout } = await ptdpc(['metrics', ...args]);
    expect(code).toBe(0);
    const [head, ...lines] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(','));
    return lines.map((cells) => Object.fromEntries(head!.map((name, i) => [name, cells[i]!])));
  };

  test('has a line for each result, with the measures of votes where there are some', async () => {
    const found = await rows('first', 'second');
    expect(found.map(({ run, split }) => [run, split])).toEqual([
      ['first', 'test'],
      ['first', 'val'],
      ['second', 'test'],
      ['second', 'val'],
    ]);
    const [first, , second] = found;
    expect([first!.accuracy, first!.balancedAccuracy, first!.count].map(Number)).toEqual([0.6, 0.6, 20]);
    expect([first!.accuracyLow, first!.accuracyHigh].map(Number)).toEqual(wilsonInterval(0.6, 20));
    expect(first!.kullbackLeibler).toBe('');
    expect(Number(second!.kullbackLeibler)).toBeGreaterThan(0);
    expect(await rows('first')).toHaveLength(2);
    expect((await rows('first'))[0]).not.toHaveProperty('kullbackLeibler');
  });

  test('has a line for each epoch or step of a training', async () => {
    const epoch = (number: string) => ({
      ...{ run: 'young', epoch: number, trainLoss: String(1 / 3), trainAccuracy: '0.5', valLoss: '0.5' },
      ...{ valAccuracy: '0.75', lr: '0.1' },
    });
    expect(await rows('young', '--of', 'epochs')).toEqual([epoch('1'), epoch('2')]);
    expect(await rows('young', '--of', 'steps')).toEqual(
      [0, 1].map((i) => ({ run: 'young', epoch: `${i + 1}`, step: `${i + 1}`, loss: String(1 / (i + 3)), lr: '0.1' })),
    );
    await expectRefused(['metrics', 'first', '--of', 'epochs'], /first: no finished epoch in its metrics\.jsonl/);
  });
});
