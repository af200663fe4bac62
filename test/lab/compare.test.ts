import { expect, it } from 'vitest';
import { compareOutputs } from '../../src/lab/index.js';

const output = (values: number[], shape = [values.length], overrun = 0) => [
  { name: 'out', shape, values: Float64Array.from(values), overrun },
];

it('finds the worst element and its place, relative to the largest of the output', () => {
  const expected = output([1, 2, 3, 4, 5, -10], [2, 3]);
  expect(compareOutputs(expected, expected)).toEqual({ error: 0, wrong: 0, elements: 6, overrun: 0, worst: undefined });
  expect(compareOutputs(output([1, 2, 3, 4, 6, -10.5]), expected)).toEqual({
    error: 0.1,
    wrong: 2,
    elements: 6,
    overrun: 0,
    worst: { output: 'out', index: [1, 1], expected: 5, found: 6 },
  });
});

it('an element that was never written is wrong, and the first such is shown', () => {
  const comparison = compareOutputs(output([Number.NaN, 7, Number.NaN]), output([1, 2, 3]));
  expect(comparison).toMatchObject({ error: Number.NaN, wrong: 3, worst: { index: [0], found: Number.NaN } });
});

it('rounding is no error, and tiny numbers are not judged by their own size', () => {
  expect(compareOutputs(output([1 + 1e-6]), output([1])).wrong).toBe(0);
  expect(compareOutputs(output([1 + 3e-6]), output([1])).wrong).toBe(1);
  expect(compareOutputs(output([1e-13]), output([0])).wrong).toBe(0);
});

it('writing behind an output is wrong too', () => {
  expect(compareOutputs(output([1, 2], [2], 3), output([1, 2]))).toMatchObject({ wrong: 3, overrun: 3, error: 0 });
});
