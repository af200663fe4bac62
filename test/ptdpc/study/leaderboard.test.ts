import { describe, expect, test } from 'vitest';
import { accuracyInterval } from '../../../src/ptdpc/experiment/index.js';
import { comparePaired, exactMcNemar, holmAdjusted } from '../../../src/ptdpc/index.js';
import { leaderboard } from '../../../src/ptdpc/study/leaderboard.js';
import { rights, seedOf, studyOf } from './support.js';

const boardOf = (...of: Parameters<typeof studyOf>) => leaderboard(studyOf(...of)).boards[0]!;
const rowOf = (board: ReturnType<typeof boardOf>, name: string) => board.ranking.find(({ row }) => row === name)!;
const bytes = (correct: string) => Uint8Array.from(correct, Number);

describe('a ranking', () => {
  test('is by mean accuracy; equal means share a rank, and rows without a result come last', () => {
    const board = boardOf({
      low: [seedOf(0, rights(100, 40)), seedOf(1, rights(100, 50))],
      none: [null, null],
      // The same three values in another order, whose sums differ in the last bit.
      tied: [seedOf(0, rights(100, 70)), seedOf(1, rights(100, 60, 20))],
      high: [seedOf(0, rights(100, 60, 20)), seedOf(1, rights(100, 70))],
    });
    expect(board.ranking.map(({ row, rank }) => [row, rank])).toEqual([
      ['tied', 1],
      ['high', 1],
      ['low', 3],
      ['none', null],
    ]);
    expect(rowOf(board, 'low')).toMatchObject({
      ...{ seeds: 2, missing: 0, balancedAccuracy: 0.45, overZeroShot: null, levelWithFirst: false },
      accuracyInterval: accuracyInterval([0.4, 0.5], 100),
    });
    expect(rowOf(board, 'low').accuracy).toMatchObject({ mean: 0.45, count: 2 });
    expect(rowOf(board, 'none')).toMatchObject({ accuracy: null, cost: null, missing: 2, levelWithFirst: false });
    expect(board.pairs.map(({ first, second }) => `${first} ${second}`)).toEqual(['tied high', 'tied low', 'high low']);
  });

  test('says what selecting on the test images would have added: the mean over the seeds that have it', () => {
    const board = boardOf({
      coop: [
        seedOf(0, rights(100, 50), { onTest: { candidates: 50, accuracy: 0.56 } }),
        seedOf(1, rights(100, 52), { onTest: { candidates: 40, accuracy: 0.54 } }),
        seedOf(2, rights(100, 55)),
      ],
      'zero-shot': [seedOf(0, rights(100, 45), { train: 0 })],
    });
    expect(rowOf(board, 'coop').selectedOnTest).toMatchObject({ candidates: 50, seeds: 2 });
    expect(rowOf(board, 'coop').selectedOnTest!.gain).toBeCloseTo(0.04, 12);
    expect(rowOf(board, 'zero-shot').selectedOnTest).toBeNull();
  });

  test('has means of the cost, and operations only if every seed knows them', () => {
    const cost = { seconds: 4, flops: null, parameters: 512, peakBytes: 2 ** 21 };
    const board = boardOf({
      part: [seedOf(0, rights(9, 5)), seedOf(1, rights(9, 5), { cost })],
      whole: [seedOf(0, rights(9, 4))],
    });
    expect(rowOf(board, 'part').cost).toEqual({ seconds: 3, flops: null, parameters: 512, peakBytes: 2 ** 21 });
    expect(rowOf(board, 'whole').cost?.flops).toBe(3e9);
  });

  test('has the means of the distribution measures where every seed has them', () => {
    const scores = (x: number) => ({
      ...{ kullbackLeibler: x, chebyshev: x, clark: x, canberra: x },
      ...{ squaredChord: x, sorensen: x, cosine: x, intersection: x },
    });
    const board = boardOf({
      votes: [seedOf(0, '10', { distribution: scores(0.2) }), seedOf(1, '10', { distribution: scores(0.4) })],
      some: [seedOf(0, '10', { distribution: scores(0.2) }), seedOf(1, '10')],
    });
    expect(rowOf(board, 'votes').distribution?.clark).toBeCloseTo(0.3, 12);
    expect(rowOf(board, 'some').distribution).toBeNull();
  });
});

describe('paired tests', () => {
  const zeroShot = rights(300, 150);
  const better = rights(300, 200);
  const close = rights(300, 153);

  test('of one seed are those of McNemar, by Holm over all pairs', () => {
    const board = boardOf({
      'zero-shot': [seedOf(0, zeroShot, { train: 0 })],
      close: [seedOf(0, close)],
      better: [seedOf(0, better)],
    });
    const [betterClose, betterZero, closeZero] = board.pairs;
    expect(board.pairs.map(({ first, second }) => `${first} ${second}`)).toEqual([
      'better close',
      'better zero-shot',
      'close zero-shot',
    ]);
    const raw = [exactMcNemar(0, 47), exactMcNemar(0, 50), exactMcNemar(0, 3)];
    expect(board.pairs.map(({ pValue }) => pValue)).toEqual(raw);
    expect(board.pairs.map(({ adjustedPValue }) => adjustedPValue)).toEqual(holmAdjusted(raw));
    expect([betterClose, betterZero, closeZero].map((pair) => pair!.toldApart)).toEqual([true, true, false]);
    // The first of a pair is ahead: the difference is its own minus the other's.
    const { interval } = comparePaired(bytes(zeroShot), bytes(better));
    expect(betterZero).toMatchObject({ difference: 50 / 300, interval, onlyFirst: 50, onlySecond: 0, seeds: 1 });
    expect(rowOf(board, 'better').overZeroShot).toMatchObject({ difference: 50 / 300, interval, toldApart: true });
    expect(rowOf(board, 'close').overZeroShot).toMatchObject({ toldApart: false });
    expect(board.ranking.map(({ row, levelWithFirst }) => [row, levelWithFirst])).toEqual([
      ['better', true],
      ['close', false],
      ['zero-shot', false],
    ]);
  });

  test('a row behind zero-shot has a negative difference', () => {
    const board = boardOf({
      worse: [seedOf(0, rights(300, 90))],
      'zero-shot': [seedOf(0, zeroShot, { train: 0 })],
    });
    const { difference, interval, toldApart } = rowOf(board, 'worse').overZeroShot!;
    expect([difference, toldApart]).toEqual([-0.2, true]);
    expect(interval[0]).toBeLessThan(-0.2);
    expect(interval[1]).toBeLessThan(0);
  });

  test('are not believed where other seeds would turn the difference round', () => {
    // Sure of these trainings, by their mean; but one of the two seeds is far behind.
    const board = boardOf({
      steady: [seedOf(0, rights(300, 150)), seedOf(1, rights(300, 150))],
      wild: [seedOf(0, rights(300, 270)), seedOf(1, rights(300, 120))],
    });
    const [pair] = board.pairs;
    expect(pair).toMatchObject({ first: 'wild', toldApart: false });
    expect(pair!.adjustedPValue).toBeLessThan(0.001);
    expect(pair!.interval[0]).toBeLessThan(0);
    expect(rowOf(board, 'steady').levelWithFirst).toBe(true);
  });

  test('use the seeds that both rows have; zero-shot has all', () => {
    const board = boardOf({
      'zero-shot': [seedOf(0, zeroShot, { train: 0 })],
      part: [null, seedOf(1, close), seedOf(2, close)],
      whole: [seedOf(0, better), seedOf(1, better), seedOf(2, better)],
    });
    const seeds = Object.fromEntries(board.pairs.map(({ first, second, seeds }) => [`${first} ${second}`, seeds]));
    expect(seeds).toEqual({ 'whole part': 2, 'whole zero-shot': 3, 'part zero-shot': 2 });
  });

  test('of seeds with other images take each image for itself; of rows with other images there are none', () => {
    const other = { imagesSha256: 'cd' };
    const rows = {
      one: [seedOf(0, zeroShot), seedOf(1, zeroShot, other)],
      two: [seedOf(0, better), seedOf(1, better, other)],
    };
    const board = boardOf(rows);
    expect(board.images).toBe('by-seed');
    expect(board.pairs[0]).toMatchObject({ seeds: 2, onlyFirst: 100, onlySecond: 0, pValue: exactMcNemar(0, 100) });
    const apart = boardOf({ ...rows, three: [seedOf(0, better, other)] });
    expect([apart.images, apart.pairs]).toEqual(['none', []]);
    expect(apart.ranking.map(({ levelWithFirst }) => levelWithFirst)).toEqual([true, true, false]);
  });
});

describe('a study', () => {
  test('has a board for every data set and number of shots, and means over the data sets', () => {
    const rows = {
      'zero-shot': [seedOf(0, rights(10, 5), { train: 0 })],
      coop: (shots: number | null) => [
        seedOf(0, rights(10, shots === null ? 8 : 6), { onTest: { candidates: 2, accuracy: 0.9 } }),
      ],
    };
    const found = leaderboard(studyOf(rows, { shots: [4, null], datasets: ['d', 'e'] }));
    expect(found.boards.map(({ dataset, shots }) => [dataset, shots])).toEqual([
      ['d', 4],
      ['d', null],
      ['e', 4],
      ['e', null],
    ]);
    expect(found.overall.map(({ shots, ranking }) => [shots, ranking.map(({ row }) => row)])).toEqual([
      [4, ['coop', 'zero-shot']],
      [null, ['coop', 'zero-shot']],
    ]);
    expect(found.overall[1]!.ranking[0]).toMatchObject({ accuracy: 0.8, meanRank: 1, rank: 1 });
    expect(found.overall[1]!.ranking[0]!.selectedOnTest).toBeCloseTo(0.1, 12);
    expect(found.overall[1]!.ranking[1]).toMatchObject({ overZeroShot: null, selectedOnTest: null });
  });

  test('of one data set has no means, and one row no pairs', () => {
    const found = leaderboard(studyOf({ coop: [seedOf(0, '1101')] }));
    expect(found.overall).toEqual([]);
    expect(found.boards).toMatchObject([{ pairs: [], ranking: [{ row: 'coop', rank: 1, levelWithFirst: true }] }]);
  });

  test('leaves a row out of the means that lacks a data set', () => {
    const results = studyOf({ a: [seedOf(0, '10')], b: [seedOf(0, '11')] }, { datasets: ['d', 'e'] });
    const cells = results.cells.map((cell) =>
      cell.dataset === 'e' && cell.row === 'b' ? { ...cell, seeds: [] } : cell,
    );
    const { overall } = leaderboard({ ...results, cells });
    expect(overall.map(({ ranking }) => ranking.map(({ row }) => row))).toEqual([['a']]);
  });
});
