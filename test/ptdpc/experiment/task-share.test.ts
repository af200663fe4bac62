/** Shares of the tasks by option, job array and indexed job. */
import { describe, expect, test } from 'vitest';
import { InputError } from '../../../src/errors.js';
import { shareOf, taskShare } from '../../../src/ptdpc/experiment/index.js';

/** What Slurm sets in task `id` of an array of these places. */
function slurm(id: number, places: readonly number[]): Record<string, string> {
  return {
    SLURM_ARRAY_TASK_ID: String(id),
    SLURM_ARRAY_TASK_COUNT: String(places.length),
    SLURM_ARRAY_TASK_MIN: String(Math.min(...places)),
    SLURM_ARRAY_TASK_MAX: String(Math.max(...places)),
  };
}

const tasks = Array.from({ length: 17 }, (_, i) => i);

describe('a Slurm job array', () => {
  test.each([
    { places: [0, 1, 2, 3] },
    { places: [1, 2, 3] },
    { places: [10, 15, 20, 25] },
    { places: [4] },
    { places: [3, 7] },
  ])('$places: every task is in one share', ({ places }) => {
    const shares = places.map((id) => shareOf(tasks, taskShare({}, slurm(id, places))));
    expect(shares.flat().sort((a, b) => a - b)).toEqual(tasks);
  });

  test.each([{ places: [0, 1, 4] }, { places: [0, 3, 4, 9] }, { places: [2, 3, 5, 9, 11] }])(
    '$places, with gaps: no task is in no share',
    ({ places }) => {
      const shares = places.map((id) => shareOf(tasks, taskShare({}, slurm(id, places))));
      expect([...new Set(shares.flat())].sort((a, b) => a - b)).toEqual(tasks);
    },
  );

  test('numbers that are none are refused', () => {
    expect(() => taskShare({}, { ...slurm(1, [0, 1]), SLURM_ARRAY_TASK_ID: 'one' })).toThrow(InputError);
    expect(() => taskShare({}, { SLURM_ARRAY_TASK_ID: '1' })).toThrow(
      /SLURM_ARRAY_TASK_MIN: expected .* found nothing/,
    );
  });
});

test('Slurm variables that contradict each other are refused, so that no process ends without work unnoticed', () => {
  expect(() => taskShare({}, { ...slurm(1, [0, 1]), SLURM_ARRAY_TASK_ID: '7' })).toThrow(
    /^SLURM_ARRAY_TASK_ID: expected a number from SLURM_ARRAY_TASK_MIN \(0\) to SLURM_ARRAY_TASK_MAX \(1\), .* found 7; /,
  );
  expect(() => taskShare({}, { ...slurm(0, [0]), SLURM_ARRAY_TASK_COUNT: '0' })).toThrow(InputError);
});

describe('a Kubernetes Indexed Job', () => {
  test('the index counts from 0; the completions are an option', () => {
    expect(taskShare({ completions: 4 }, { JOB_COMPLETION_INDEX: '3' })).toEqual({ index: 3, count: 4 });
  });

  test('without completions, or with too few, it is refused', () => {
    expect(() => taskShare({}, { JOB_COMPLETION_INDEX: '3' })).toThrow(/--completions/);
    expect(() => taskShare({ completions: 3 }, { JOB_COMPLETION_INDEX: '3' })).toThrow(/below 3, found 3/);
  });
});

describe('--task', () => {
  test('i/n counts from 1 and comes before the environment', () => {
    expect(taskShare({ task: '1/3' }, slurm(2, [0, 1, 2]))).toEqual({ index: 0, count: 3 });
    const shares = [1, 2, 3].map((i) => shareOf(tasks, taskShare({ task: `${i}/3` }, {})));
    expect(shares.flat().sort((a, b) => a - b)).toEqual(tasks);
    expect(Math.max(...shares.map(({ length }) => length)) - Math.min(...shares.map(({ length }) => length))).toBe(1);
  });

  test.each(['0/3', '4/3', '1', '1/0', 'a/b', '-1/3', '1.5/3', ''])('%j is refused', (task) => {
    expect(() => taskShare({ task }, {})).toThrow(/--task: expected i\/n/);
  });
});

test('no option and no environment: all tasks', () => {
  expect(taskShare({}, {})).toBeUndefined();
  expect(shareOf(tasks, undefined)).toEqual(tasks);
});
