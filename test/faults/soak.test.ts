/** A few rounds of the soak, and of one that leaks. No time and no resident memory is judged here. */
import { expect, test } from 'vitest';
import { Line } from '../../faults/line.js';
import { soak, soakProblem } from '../../faults/soak.js';
import { Engine } from '../../src/tensor/index.js';
import { describeOnAll } from '../support/devices.js';

const ROUNDS = { goesOn: (rounds: number) => rounds < 4, warmUp: { rounds: 1, seconds: 0 } };

describeOnAll('trainings in one process', (device) => {
  test('leave no buffer on the device', async () => {
    const samples: [number, number][] = [];
    const result = await soak({
      ...{ ...ROUNDS, device: device().kind },
      onRound: ({ buffers, bytes }) => void samples.push([buffers, bytes]),
    });
    expect(samples).toEqual([0, 1, 2, 3].map(() => [0, 0]));
    expect(result).toMatchObject({ rounds: 4, counted: 3, buffersSlope: 0, bytesSlope: 0 });
    expect(soakProblem(result, Number.POSITIVE_INFINITY)).toBeUndefined();
  });
});

test('a buffer that is left in every round is found', async () => {
  const leaked: Disposable[] = [];
  const result = await soak({
    ...{ ...ROUNDS, device: 'cpu' },
    also: ({ backend }) => leaked.push(new Engine(backend).zeros([10])),
    onRound: ({ round }) => {
      // Freed before the device goes.
      if (round === 4) for (const tensor of leaked.splice(0)) tensor[Symbol.dispose]();
    },
  });
  expect(result).toMatchObject({ buffersSlope: 1, bytesSlope: 40 });
  expect(soakProblem(result, Number.POSITIVE_INFINITY)).toBe('1 live buffers of 40 bytes have become 4 of 160');
});

test('a line that grows too far is a problem, by the time that it took', () => {
  const sample = { round: 1, seconds: 1, resident: 0, buffers: 0, bytes: 0, heldBytes: 0 };
  const result = { device: 'x', rounds: 2, counted: 2, first: sample, last: sample, buffersSlope: 0, bytesSlope: 0 };
  const grown = { ...result, hours: 8, residentSlope: 5 * 2 ** 20 };
  expect(soakProblem(grown, 40 * 2 ** 20)).toBeUndefined();
  expect(soakProblem(grown, 39 * 2 ** 20)).toBe('resident memory grows by 40.0 MiB, more than 39.0');
});

test('the slope is that of least squares', () => {
  const line = new Line();
  expect(line.slope).toBe(0);
  for (const [x, y] of [
    [1, 1e9 + 1],
    [2, 1e9 + 3],
    [3, 1e9 + 2],
    [4, 1e9 + 5],
  ] as const)
    line.add(x, y);
  expect(line.slope).toBeCloseTo(1.1, 6);
  expect(line.count).toBe(4);
});
