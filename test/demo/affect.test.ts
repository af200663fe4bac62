import { describe, expect, it } from 'vitest';
import {
  ATTRIBUTE_NAMES,
  ATTRIBUTES,
  bayesAccuracy,
  drawAttributes,
  EMOTIONS,
  posterior,
} from '../../src/demo/affect.js';
import { Random } from '../../src/demo/random.js';

describe('the affective attributes', () => {
  it('leave the classes overlapping, so that no classifier is perfect', () => {
    const ceiling = bayesAccuracy();
    expect(ceiling).toBeCloseTo(0.909, 3);
  });

  it('say much less through light and weather than all together', () => {
    expect(bayesAccuracy(['light', 'weather'])).toBeCloseTo(0.548, 3);
    expect(bayesAccuracy([])).toBeCloseTo(1 / 8);
  });

  it('are drawn as the tables say: the Bayes classifier reaches its own accuracy', () => {
    const random = new Random(11);
    const ceiling = bayesAccuracy();
    const count = 4000;
    let correct = 0;
    for (let index = 0; index < count; index++) {
      const emotion = random.pick(EMOTIONS);
      const chances = posterior(drawAttributes(emotion, random), ATTRIBUTE_NAMES);
      if (EMOTIONS[chances.indexOf(Math.max(...chances))] === emotion) correct++;
    }
    expect(Math.abs(correct / count - ceiling)).toBeLessThan(0.02);
  });

  it('are each shared by several emotions', () => {
    const seen = new Map<string, Set<string>>();
    for (const emotion of EMOTIONS) {
      const random = new Random(7);
      for (let index = 0; index < 400; index++) {
        const attributes = drawAttributes(emotion, random);
        for (const name of ATTRIBUTE_NAMES) {
          const key = `${name} ${attributes[name]}`;
          seen.set(key, (seen.get(key) ?? new Set()).add(emotion));
        }
      }
    }
    for (const name of ATTRIBUTE_NAMES) {
      for (const value of ATTRIBUTES[name]) expect(seen.get(`${name} ${value}`)?.size).toBeGreaterThanOrEqual(2);
    }
  });
});
