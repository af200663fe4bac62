import { expect, test } from 'vitest';
import { classTable, confusionTable } from '../../src/cli/tables.js';
import { EMOTIONS } from '../../src/demo/index.js';
import { evaluate } from '../../src/ptdpc/index.js';

/** One image per truth and prediction. */
function evaluationOf(pairs: readonly (readonly [truth: number, predicted: number])[], classes: number) {
  const logits = new Float32Array(pairs.length * classes);
  for (const [i, [, predicted]] of pairs.entries()) logits[i * classes + predicted] = 1;
  return evaluate(
    logits,
    Int32Array.from(pairs, ([truth]) => truth),
    classes,
  );
}

const widest = (text: string) => Math.max(...text.split('\n').map((line) => line.length));

test('eight emotions and counts in the thousands fit 80 columns', () => {
  const pairs = EMOTIONS.flatMap((_, c) => Array.from({ length: 1200 }, () => [c, c] as const));
  const evaluation = evaluationOf([...pairs, [0, 5]], 8);
  const text = confusionTable(EMOTIONS, evaluation, 80);
  expect(widest(text)).toBeLessThanOrEqual(80);
  expect(text.split('\n')[0]).toMatch(/^true \\ predicted +amusem +anger +awe +conten +disgus +excite +fear +sadnes$/);
  expect(text.split('\n')[1]).toMatch(/^amusement +1200( +0){4} +1( +0){2}$/);
});

test('where not even the counts fit, the most frequent mistakes are listed', () => {
  const words = Array.from({ length: 30 }, (_, c) => `class ${c}`);
  const evaluation = evaluationOf(
    [
      [3, 4],
      [3, 4],
      [3, 3],
      [5, 6],
    ],
    30,
  );
  expect(
    confusionTable(words, evaluation, 80)
      .split('\n')
      .map((line) => line.replace(/ +/g, ' ')),
  ).toEqual(['most frequent mistakes predicted as images', 'class 3 class 4 2 of 3', 'class 5 class 6 1 of 1']);
  const wide = confusionTable(words, evaluation, 240);
  expect(wide).toMatch(/^true .* predicted/);
  expect(widest(wide)).toBeLessThanOrEqual(240);
});

test('a thousand classes: their matrix has more cells than a function takes arguments', () => {
  const words = Array.from({ length: 1000 }, (_, c) => `class ${c}`);
  const pairs = words.map((_, c) => [c, (c + 1) % 1000, 1] as const);
  expect(confusionTable(words, { confusionPairs: { classes: 1000, pairs } }, 80).split('\n')).toHaveLength(11);
});

test('of many classes, those that are recognised worst', () => {
  const words = Array.from({ length: 300 }, (_, c) => `class ${c}`);
  const pairs = words.flatMap((_, c): [number, number][] => [
    [c, c],
    [c, c % 100 === 7 ? 0 : c],
  ]);
  const lines = classTable(words, evaluationOf([...pairs, [7, 1]], 300)).split('\n');
  expect(lines).toHaveLength(21);
  expect(lines[0]).toMatch(/^worst 20 of 300 classes +images/);
  expect(lines.slice(1, 4).map((line) => line.split('  ')[0])).toEqual(['class 7', 'class 107', 'class 207']);
});

test('metrics per class, with the number of images', () => {
  const evaluation = evaluationOf(
    [
      [0, 0],
      [0, 1],
      [1, 1],
    ],
    3,
  );
  expect(classTable(['a', 'b', 'c'], evaluation)).toBe(
    [
      'class  images  accuracy  precision      F1',
      'a           2    50.0 %    100.0 %  66.7 %',
      'b           1   100.0 %     50.0 %  66.7 %',
      'c           0         -          -       -',
    ].join('\n'),
  );
});
