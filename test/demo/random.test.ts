import { describe, expect, it } from 'vitest';
import { cloudNoise, mixSeeds, Random } from '../../src/demo/random.js';

describe('Random', () => {
  it('is reproducible and depends on the seed', () => {
    const draw = (seed: number): number[] => {
      const random = new Random(seed);
      return [1, 2, 3, 4].map(() => random.uint32());
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    expect(new Set(Array.from({ length: 2000 }, (_, seed) => draw(seed)[0])).size).toBe(2000);
  });

  it('is uniform enough', () => {
    const random = new Random(3);
    const bins = new Array<number>(16).fill(0);
    for (let count = 0; count < 16000; count++) bins[random.below(16)]!++;
    const chiSquare = bins.reduce((sum, bin) => sum + (bin - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeLessThan(37.7); // 15 degrees of freedom, p = 0.001
  });

  it('weighs, shuffles and never draws an impossible value', () => {
    const random = new Random(4);
    const drawn = Array.from({ length: 3000 }, () => random.weighted([1, 0, 3]));
    expect(drawn).not.toContain(1);
    expect(drawn.filter((index) => index === 2).length / 3000).toBeCloseTo(0.75, 1);
    expect(random.shuffled([1, 2, 3, 4, 5]).sort()).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('noise and seeds', () => {
  it('stays in range and is continuous', () => {
    for (let step = 0; step < 500; step++) {
      const here = cloudNoise(step * 0.173 - 20, step * 0.091, 9);
      expect(here).toBeGreaterThanOrEqual(0);
      expect(here).toBeLessThan(1);
      expect(Math.abs(cloudNoise(step * 0.173 - 20 + 1e-6, step * 0.091, 9) - here)).toBeLessThan(1e-4);
    }
  });

  it('depends on every part of a mixed seed and on their order', () => {
    const seeds = [mixSeeds(1, 2), mixSeeds(2, 1), mixSeeds(1, 3), mixSeeds(1), mixSeeds(1, 2, 0)];
    expect(new Set(seeds).size).toBe(seeds.length);
  });
});
