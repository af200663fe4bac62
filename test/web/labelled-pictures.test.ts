/** Folders of pictures in the page are read as `ptdpc train` reads them. */
import { expect, test } from 'vitest';
import { SPLITS } from '../../src/ptdpc/index.js';
import { labelledPictures } from '../../web/engine/labelled-pictures.js';

const read = (...paths: string[]) => {
  const files = paths.map((path) => ({ path, file: new File([], path) }));
  const { splits, classes, notes } = labelledPictures({ kind: 'folder', name: 'mine', files, seed: 0 });
  const counts = SPLITS.map((split) => splits[split].length);
  return { counts, classes: classes.map(({ word }) => word), notes };
};

test('splits by any of their names, sub-folders of classes, accents written in two ways', () => {
  const found = read(
    ...['Train/été/1.png', 'Train/été/day/2.png'.normalize('NFD'), 'Train/joy/1.png'],
    ...['validation/joy/1.png', 'TEST/été/1.png', 'TEST/__MACOSX/1.png', 'dev/joy/1.png', 'Train/x.png'],
  );
  expect(found).toEqual({
    counts: [3, 1, 1],
    classes: ['joy', 'été'],
    notes: ['Pictures in no folder of a class, left out: 2.'],
  });
});

test('classes without a split, and classes called by numbers', () => {
  const found = read('images/0/1.png', 'images/0/day/2.png', 'images/1/1.png', 'valid.png');
  expect([found.classes, found.counts.reduce((a, b) => a + b)]).toEqual([['0', '1'], 3]);
  expect(found.notes).toEqual([
    'Pictures in no folder of a class, left out: 1.',
    'The classes are called by numbers, and so are their prompts: rename the folders to words.',
  ]);
});
