import { expect, it } from 'vitest';
import { kernelNamed } from '../../src/kernels/index.js';
import { parseSizes, requireSizes } from '../../src/lab/index.js';

it('reads sizes, and none from an empty text', () => {
  expect(parseSizes(' m=7, alpha=-0.5e-1 ')).toEqual({ m: 7, alpha: -0.05 });
  expect(parseSizes(' ')).toEqual({});
  for (const text of ['m', 'm=', '=1', 'm=1;n=2', 'm=1,'])
    expect(() => parseSizes(text), text).toThrow('such as m=1728');
});

it('refuses what a kernel does not have, naming what it has', () => {
  expect(() => requireSizes(kernelNamed('matmul'), { q: 1 }, '--shape ')).toThrow(
    '--shape q=1: matmul has the sizes m, n, k, and',
  );
  expect(() => requireSizes(kernelNamed('matmul'), { m: 0 })).toThrow(/^m=0: expected a whole number from 1$/);
  expect(() => requireSizes(kernelNamed('softmax'), { rows: 1.5 })).toThrow('rows=1.5: expected a whole number');
  requireSizes(kernelNamed('attention'), { prefix: 0 });
  requireSizes(kernelNamed('matmul'), { m: 3, alpha: 0.5 });
});
