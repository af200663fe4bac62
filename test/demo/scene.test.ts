import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { EMOTIONS, type Emotion } from '../../src/demo/affect.js';
import { renderScene } from '../../src/demo/scene.js';
import { InputError } from '../../src/errors.js';

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

describe('renderScene', () => {
  it.each<[Emotion, number, string]>([
    ['amusement', 1, '16d0c392480140d6'],
    ['anger', 2, 'f375a56b2753e1fb'],
    ['awe', 3, '49f1be5ab3c5bfcf'],
    ['contentment', 4, 'cf22bc598dfd0d96'],
    ['disgust', 5, 'd2381655a15ae9d6'],
    ['excitement', 6, 'c738f65240146565'],
    ['fear', 7, '1a88a8c38dfd5994'],
    ['sadness', 8, 'a5835f32201b9edf'],
  ])('draws %s %i byte for byte as recorded', (emotion, seed, expected) => {
    expect(digest(renderScene(emotion, seed).data)).toBe(expected);
  });

  it('gives the same bytes for the same seed and others for another', () => {
    const [first, again, other] = [renderScene('awe', 5), renderScene('awe', 5), renderScene('awe', 6)];
    expect(again).toEqual(first);
    expect(digest(other.data)).not.toBe(digest(first.data));
  });

  it('shows the same things at every size', () => {
    for (const emotion of EMOTIONS) {
      expect(renderScene(emotion, 3, 40, 30).attributes).toEqual(renderScene(emotion, 3).attributes);
    }
    expect(renderScene('fear', 3, 50, 20).data).toHaveLength(50 * 20 * 3);
  });

  it('refuses sizes and emotions that it cannot draw', () => {
    expect(() => renderScene('awe', 1, 0)).toThrow(InputError);
    expect(() => renderScene('awe', 1, 96, 1e9)).toThrow(/height.*16 to 2048.*1000000000/);
    expect(() => renderScene('joy' as Emotion, 1)).toThrow(/emotion.*found joy/);
  });
});
