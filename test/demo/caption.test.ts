import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EMOTIONS } from '../../src/demo/affect.js';
import { captionPhrases, describeScene } from '../../src/demo/caption.js';
import { mixSeeds, Random } from '../../src/demo/random.js';
import { renderScene, type Scene } from '../../src/demo/scene.js';

const model = new URL('../../assets/demo-model/', import.meta.url);
const scenes: Scene[] = EMOTIONS.flatMap((emotion) =>
  Array.from({ length: 60 }, (_, seed) => renderScene(emotion, mixSeeds(77, seed), 24, 18)),
);
const captionsOf = (rate: number, alone = 0.5): string[] =>
  scenes.flatMap((scene, index) =>
    [0, 1, 2].map((turn) =>
      describeScene(scene.attributes, new Random(mixSeeds(index, turn)), {
        feelingRate: rate,
        feelingAloneRate: alone,
      }),
    ),
  );
const wordsOf = (text: string): string[] => text.match(/[a-z]+|[^\sa-z]+/g) ?? [];

describe('describeScene', () => {
  it('uses the words of its phrases only, in lower case, and at most 28', () => {
    const known = new Set(captionPhrases().flatMap(wordsOf));
    const used = new Set<string>();
    for (const caption of [...captionsOf(0.1), ...captionsOf(1, 0)]) {
      expect(caption).toMatch(/^[a-z]+(?:,? [a-z]+)*$/);
      expect(wordsOf(caption).length).toBeLessThanOrEqual(28);
      for (const word of wordsOf(caption)) used.add(word);
    }
    expect([...used].filter((word) => !known.has(word))).toEqual([]);
  });

  it('names the subject unless it names nothing but a feeling', () => {
    const scene = renderScene('disgust', 4, 24, 18);
    const captions = Array.from({ length: 40 }, (_, seed) =>
      describeScene({ ...scene.attributes, subject: 'slime' }, new Random(seed), {
        feelingRate: 0,
        feelingAloneRate: 0,
      }),
    );
    for (const caption of captions) expect(caption).toContain('slime');
  });

  it('names a feeling about as often as it is told to', () => {
    const named = captionsOf(0.1).filter((caption) => EMOTIONS.some((emotion) => caption.includes(emotion)));
    expect(named.length / (scenes.length * 3)).toBeGreaterThan(0.06);
    expect(named.length / (scenes.length * 3)).toBeLessThan(0.14);
    expect(captionsOf(0).some((caption) => EMOTIONS.some((emotion) => caption.includes(emotion)))).toBe(false);
  });

  it('ties the feeling to the scene above chance, yet loosely', () => {
    const right = captionsOf(1).filter((caption, index) => caption.endsWith(scenes[Math.floor(index / 3)]!.emotion));
    const share = right.length / (scenes.length * 3);
    expect(share).toBeGreaterThan(0.3);
    expect(share).toBeLessThan(0.6);
  });
});

describe('the vocabulary of the demonstration model', () => {
  const merges = readFileSync(new URL('merges.txt', model), 'utf8').trimEnd().split('\n');
  const ids = JSON.parse(readFileSync(new URL('vocab.json', model), 'utf8')) as Record<string, number>;

  it('has the form of CLIP vocabularies', () => {
    expect(merges[0]).toBe('#version: 0.2');
    const size = 512 + merges.length - 1 + 2;
    expect(Object.keys(ids)).toHaveLength(size);
    expect(new Set(Object.values(ids))).toEqual(new Set(Array.from({ length: size }, (_, id) => id)));
    expect(ids['!']).toBe(0);
    expect(ids['!</w>']).toBe(256);
    merges.slice(1).forEach((merge, index) => {
      expect(ids[merge.replace(' ', '')]).toBe(512 + index);
    });
    expect(ids['<|startoftext|>']).toBe(size - 2);
    expect(ids['<|endoftext|>']).toBe(size - 1);
  });

  it('holds every word of the captions and templates whole, and every emotion in at most two pieces', () => {
    const emotions: readonly string[] = EMOTIONS;
    for (const word of captionPhrases().flatMap(wordsOf)) {
      if (!emotions.includes(word)) expect(ids, word).toHaveProperty([`${word}</w>`]);
    }
    for (const emotion of emotions) {
      const whole = `${emotion}</w>` in ids;
      const split = Array.from({ length: emotion.length }, (_, at) => [
        emotion.slice(0, at),
        `${emotion.slice(at)}</w>`,
      ]);
      expect(whole || split.some(([head, tail]) => head! in ids && tail! in ids), emotion).toBe(true);
    }
  });
});
