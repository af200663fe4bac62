import { expect, test } from 'vitest';
import {
  classOf,
  countWarnings,
  NAMED_SETTINGS,
  namedSetting,
  SETTING_NAMES,
  SETTINGS,
} from '../../../src/ptdpc/index.js';

test.each(NAMED_SETTINGS)('%s: counts by class and by split add up', (name) => {
  const { expected, classes, layouts } = namedSetting(name)!;
  const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
  if (expected.perClass) {
    expect(expected.perClass).toHaveLength(classes.length);
    expect(sum(expected.perClass)).toBe(expected.total);
  }
  expect(expected.source).toMatch(/\w/);
  if (expected.splits) expect(sum(Object.values(expected.splits))).toBe(expected.total);
  expect(new Set(layouts).size).toBe(layouts.length);
});

test('two classes are the six or eight by polarity', () => {
  const pairs = [
    ['fi8', 'fi2'],
    ['emotionroi6', 'emotionroi2'],
    ['emoset8', 'emoset2'],
  ] as const;
  const positive = ['amusement', 'awe', 'contentment', 'excitement', 'joy', 'surprise'];
  for (const [all, two] of pairs) {
    for (const { word } of SETTINGS[all].classes) {
      const label = classOf(SETTINGS[two].classes, word);
      expect(SETTINGS[two].classes[label]!.word).toBe(positive.includes(word) ? 'positive' : 'negative');
    }
  }
  expect(SETTINGS.fi2.classes.map(({ word }) => word)).toEqual(['negative', 'positive']);
  expect(classOf(SETTINGS.artphoto8.classes, 'Sad')).toBe(7);
  expect(classOf(SETTINGS.fi8.classes, 'joy')).toBe(-1);
});

test('folders and manifests bring their own classes', () => {
  expect(SETTING_NAMES.filter((name) => !namedSetting(name))).toEqual(['folders', 'manifest']);
});

test('counts that differ are told apart from copies that are known', () => {
  const images = (count: number) => Array.from({ length: count }, (_, i) => ({ path: String(i), label: 0 }));
  const origin = { kind: 'published' } as const;
  const roi = (train: number, test: number) =>
    countWarnings({ setting: 'emotionroi6', origin, splits: { train: images(train), test: images(test) } });
  expect(roi(1_386, 594)).toEqual([]);
  expect(roi(1_385, 595)).toEqual([
    'emotionroi6: 1,386 train images are published, found 1,385',
    'emotionroi6: 594 test images are published, found 595',
  ]);
  const fi = (count: number) => countWarnings({ setting: 'fi8', origin, splits: { test: images(count) } });
  expect(fi(23_308)).toEqual([]);
  expect(fi(23_185)).toEqual(['fi8: 23,308 images are published, found 23,185 (a copy that is known to be passed on)']);
  expect(countWarnings({ setting: 'folders', origin, splits: {} })).toEqual([]);
});
