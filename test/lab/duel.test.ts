import { expect, it } from 'vitest';
import { duelOf, saysLittle, suiteSize, unsteady } from '../../src/lab/index.js';

const pairs = (count: number, ratio: (i: number) => number) => Array.from({ length: count }, (_, i) => ratio(i));

it('is faster or slower only if all of the interval is beyond 2 %', () => {
  expect(
    duelOf(
      'tiled',
      pairs(15, (i) => 1.1 + i / 100),
    ),
  ).toEqual({
    rival: 'tiled',
    verdict: 'faster',
    ratio: expect.closeTo(1.17) as number,
    interval: [expect.closeTo(1.13), expect.closeTo(1.21)],
    confidence: 0.95,
    pairs: 15,
  });
  expect(
    duelOf(
      '',
      pairs(15, (i) => 0.8 + i / 100),
    ).verdict,
  ).toBe('slower');
  // As often above as below, and a difference that is too small.
  expect(
    duelOf(
      '',
      pairs(15, (i) => (i % 2 ? 1.3 : 0.9)),
    ).verdict,
  ).toBe('not distinguishable');
  expect(
    duelOf(
      '',
      pairs(15, () => 1.01),
    ).verdict,
  ).toBe('not distinguishable');
});

it('three odd pairs of fifteen do not hide a difference, four do', () => {
  const odd = (count: number) =>
    duelOf(
      '',
      pairs(15, (i) => (i < count ? 0.5 : 1.2)),
    ).verdict;
  expect([odd(3), odd(4)]).toEqual(['faster', 'not distinguishable']);
});

it('says nothing of five pairs: by chance, all are on one side once in sixteen times', () => {
  const { verdict, interval } = duelOf(
    '',
    pairs(5, () => 2),
  );
  expect([verdict, interval]).toEqual(['not distinguishable', undefined]);
  expect(
    duelOf(
      '',
      pairs(6, () => 2),
    ).verdict,
  ).toBe('faster');
});

it('a busy machine shows in the spread of turns, a picky kernel in the cases left out', () => {
  const times = [
    { name: 'quiet', seconds: 1, quartiles: [0.97, 1.04] as const },
    { name: 'restless', seconds: 1, quartiles: [0.95, 1.3] as const },
  ];
  expect(unsteady(times).map(({ name }) => name)).toEqual(['restless']);
  const picky = { cases: 2, leftOut: new Map([['it needs m >= 200', 105]]) };
  expect([suiteSize(picky), saysLittle(picky)]).toEqual([107, true]);
  expect(saysLittle({ cases: 3, leftOut: new Map() })).toBe(false);
});
