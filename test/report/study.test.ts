/** The page of a study: what stands on it, for few and many learners. */
import { describe, expect, it, test } from 'vitest';
import { leaderboard } from '../../src/ptdpc/study/leaderboard.js';
import { type ShotsLine, shotsChart, spreadApart, studyReport } from '../../src/report/index.js';
import { rights, seedOf, studyOf } from '../ptdpc/study/support.js';
import { HOSTILE } from './experiment-support.js';
import { sampleStudy } from './study-support.js';

const textOf = (page: string) => page.replace(/<[^>]*>/g, ' ');

it('has the chart, the ranking, the pairs, the cost and what selecting on test images would have added', () => {
  const page = studyReport(sampleStudy());
  expect(page).toContain('A demonstration: drawn scenes');
  for (const words of ['accuracy against training images per class', 'Ranking with all images', 'Ranking with 1 shot'])
    expect(page).toContain(words);
  expect(page).toContain('What selecting on the test images would have added');
  expect(page).toContain('best of 50');
  expect(page).toContain('Cost of a training with all images');
  expect(page).toMatch(/Of 3 pairs, \d (?:is|are) told apart\. Highest: /);
  // A chart, and a matrix of pairs for each of three numbers of shots.
  expect(page.match(/<svg/g)).toHaveLength(4);
  expect(page.match(/role="img" aria-label="[^"]{40,}/g)).toHaveLength(4);
  expect(page).not.toMatch(/NaN|undefined|Infinity/);
});

it('says what is missing and what one seed cannot tell', () => {
  const study = studyOf({ coop: [seedOf(0, '1101')], cocoop: [null] });
  const page = textOf(studyReport(study));
  expect(page).toContain('Not finished: 1 of 2 results are there');
  expect(page).toContain('One seed: no interval and no test here says what another seed would change.');
  expect(page).toContain('No zero-shot:');
  expect(page).not.toContain('What selecting on the test images');
});

it('is of a study without any result, too', () => {
  const page = studyReport(studyOf({ coop: [null], 'zero-shot': [null] }, { shots: [1, null] }));
  expect(page).not.toMatch(/<svg|NaN|undefined|Infinity/);
  expect(textOf(page)).toContain('Not finished: 0 of 4 results are there');
});

it('shows what data brings along as words, names of all objects too', () => {
  const names = [HOSTILE, '__proto__', 'constructor', 'a label that is much longer than the chart has room for'];
  const study = sampleStudy(names.length, 'scenes8', names);
  const page = studyReport({ ...study, title: HOSTILE });
  expect(page.replace(/"[^"]*"/g, '""')).not.toMatch(/<img/);
  expect(page).toMatch(/<text[^>]*>__proto__<\/text>/);
  expect(page).toMatch(/<text[^>]*>a label that is much longer…<\/text>/);
  const { prev, next } = {} as Record<string, unknown>;
  expect([prev, next, Reflect.has(Object, 'prev')]).toEqual([undefined, undefined, false]);
});

it('has means over several data sets first', () => {
  const study = studyOf(
    { coop: [seedOf(0, rights(10, 8))], 'zero-shot': [seedOf(0, rights(10, 5), { train: 0 })] },
    { datasets: ['d', 'e'] },
  );
  const page = studyReport(study, leaderboard(study));
  expect(page.indexOf('Mean of 2 data sets')).toBeGreaterThan(0);
  expect(page.indexOf('Mean of 2 data sets')).toBeLessThan(page.indexOf('d: accuracy'));
});

describe('the chart', () => {
  const line = (label: string, means: ShotsLine['means'], isLevel = false): ShotsLine => ({
    ...{ label, means, isLevel },
    intervals: means.map((mean) => (mean === null ? null : ([mean - 0.05, mean + 0.05] as const))),
  });
  const marks = (svg: string) => [...svg.matchAll(/<(?:circle|path)[^>]*fill="var\(--line-(\d)\)"/g)].length;

  test('has a mark for each known value and one for the name, and bars only for few lines', () => {
    const few = shotsChart([line('a', [0.5, null, 0.7])], [1, 2, 4])!;
    expect(marks(few.svg)).toBe(3);
    expect(few.svg.match(/stroke-opacity="0.45"/g)).toHaveLength(2);
    const many = shotsChart(
      Array.from({ length: 14 }, (_, i) => line(`line ${i}`, [0.3 + i / 40, 0.4 + i / 40])),
      [1, null],
    )!;
    expect(many.svg).not.toContain('opacity="0.45"');
    expect(many.svg).toMatch(/<text[^>]*>all<\/text>/);
  });

  test('of many lines, no two are drawn alike and no two names overlap', () => {
    const lines = Array.from({ length: 13 }, (_, i) => line(`line ${i}`, [0.5, 0.5 + i / 1000]));
    const { svg } = shotsChart(lines, [1, 16])!;
    const heights = [...svg.matchAll(/<text[^>]*?(?:translate\([\d.]+ ([\d.]+)\)|y="([\d.]+)")[^>]*>line \d+</g)].map(
      ([, translated, y]) => Number(translated ?? y),
    );
    expect(heights).toHaveLength(13);
    heights.sort((a, b) => a - b);
    for (const [i, y] of heights.entries()) if (i > 0) expect(y - heights[i - 1]!).toBeGreaterThanOrEqual(14.9);
  });

  test('of nothing is none; of a single number of shots there are marks only', () => {
    expect(shotsChart([line('a', [null])], [1])).toBeUndefined();
    expect(shotsChart([], [1])).toBeUndefined();
    expect(marks(shotsChart([line('a', [0.5])], [null])!.svg)).toBe(2);
    expect(shotsChart([line('zero', [0.5, 0.5], true)], [1, 2])!.svg).toMatch(/<text[^>]*>zero<\/text>/);
  });

  test.each([
    [
      [10, 50, 90],
      [10, 50, 90],
    ],
    [
      [50, 50, 50],
      [40, 50, 60],
    ],
    [
      [0, 1, 2],
      [0, 10, 20],
    ],
    [
      [98, 99, 100],
      [80, 90, 100],
    ],
  ])('labels wanted at %j', (wanted, expected) => {
    const found = spreadApart(wanted, 10, 0, 100);
    expect(found).toEqual(expected);
  });
});
