/** The choice of a learning rate, and the images that are held out for it. */
import { expect, test } from 'vitest';
import { bestRate, holdOut } from '../../src/ptdpc/learning-rate.js';

const rate = (learningRate: number, valAccuracy: number, valLoss: number) => ({ learningRate, valAccuracy, valLoss });

test('the highest accuracy wins, then the lowest loss, then the first', () => {
  expect(bestRate([rate(0.1, 0.5, 1), rate(0.01, 0.6, 2), rate(0.001, 0.4, 0.1)])).toBe(0.01);
  expect(bestRate([rate(0.1, 0.5, 1), rate(0.01, 0.5, 0.9), rate(0.001, 0.5, 0.95)])).toBe(0.01);
  expect(bestRate([rate(0.1, 0.5, 1), rate(0.01, 0.5, 1)])).toBe(0.1);
  expect(() => bestRate([])).toThrow(RangeError);
});

test('a tenth of each class is held out, by the seed alone', () => {
  const images = Array.from({ length: 65 }, (_, i) => ({ label: i < 40 ? 0 : i < 60 ? 1 : i < 64 ? 2 : 3, i }));
  const { fit, held } = holdOut(images, 1);
  const perClass = [0, 1, 2, 3].map((label) => held.filter((image) => image.label === label).length);
  expect(perClass).toEqual([4, 2, 1, 0]);
  expect([...fit, ...held].sort((a, b) => a.i - b.i)).toEqual(images);
  expect(fit.map(({ i }) => i)).toEqual(fit.map(({ i }) => i).sort((a, b) => a - b));
  expect(holdOut(images, 1)).toEqual({ fit, held });
  expect(holdOut(images, 2).held).not.toEqual(held);
});
