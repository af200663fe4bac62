import { describe, expect, it } from 'vitest';
import { EMOTIONS } from '../../src/demo/affect.js';
import { demoScenes, SPLITS, type Split } from '../../src/demo/dataset.js';
import { InputError } from '../../src/errors.js';

const key = (data: Uint8Array): string => data.join();

describe('demoScenes', () => {
  it('yields every emotion equally often, JPEG and PNG in turn', () => {
    const scenes = [...demoScenes({ perClass: 3, split: 'train', width: 32, height: 24 })];
    expect(scenes.map((scene) => scene.emotion)).toEqual(EMOTIONS.flatMap((emotion) => [emotion, emotion, emotion]));
    expect(scenes.slice(0, 3).map((scene) => scene.fileName)).toEqual(['000.jpg', '001.png', '002.jpg']);
    expect(scenes[0]?.pixels).toMatchObject({ width: 32, height: 24, emotion: 'amusement' });
  });

  it('shares no scene between splits or seeds, and repeats itself for the same ones', () => {
    const all = [0, 1].flatMap((seed) =>
      SPLITS.flatMap((split) => [...demoScenes({ perClass: 2, split, seed, width: 24, height: 18 })]),
    );
    expect(new Set(all.map((scene) => key(scene.pixels.data))).size).toBe(all.length);
    const again = [...demoScenes({ perClass: 2, split: 'train', seed: 0, width: 24, height: 18 })];
    expect(again).toEqual(all.slice(0, again.length));
  });

  it('keeps its first scenes when more are asked for', () => {
    const few = demoScenes({ perClass: 1, split: 'val', width: 24, height: 18 }).next().value;
    const many = demoScenes({ perClass: 50, split: 'val', width: 24, height: 18 }).next().value;
    expect(few).toEqual(many);
  });

  it('refuses an unknown split and a count out of range', () => {
    expect(() => demoScenes({ perClass: 0, split: 'train' }).next()).toThrow(InputError);
    expect(() => demoScenes({ perClass: 1, split: 'dev' as Split }).next()).toThrow(/split.*found dev/);
  });
});
