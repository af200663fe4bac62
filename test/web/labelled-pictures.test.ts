/** Folders of pictures in the page are read as `ptdpc train` reads them: every published layout, lists, odd names. */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { openDataset } from '../../src/node/datasets.js';
import { NAMED_SETTINGS, SPLITS } from '../../src/ptdpc/index.js';
import { labelledPictures } from '../../web/engine/labelled-pictures.js';
import type { FolderData } from '../../web/protocol.js';
import { expectInputError } from '../clip/checkpoint/support.js';
import { scratchFolder } from '../node/scratch.js';
import { writePublished } from '../support/published-datasets.js';

const scratch = scratchFolder();

type Files = FolderData['files'];

const named = (...paths: string[]): Files => paths.map((path) => ({ path, file: new File([], path) }));

const read = async (files: Files, setting?: FolderData['setting']) => {
  const { splits, classes, notes } = await labelledPictures({ kind: 'folder', name: 'mine', files, setting, seed: 0 });
  const counts = SPLITS.map((split) => splits[split].length);
  return { splits, counts, classes: classes.map(({ word }) => word), notes };
};

/** What a browser gives for a folder on disk. */
async function chosen(root: string): Promise<Files> {
  const entries = await readdir(root, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return await Promise.all(
    files.map(async (file) => {
      const path = relative(root, file);
      return { path, file: new File([await readFile(file)], path) };
    }),
  );
}

test.each(NAMED_SETTINGS)(
  '%s, as published, has the images, labels and splits of the command line',
  async (setting) => {
    await writePublished(scratch(setting), setting);
    const page = await read(await chosen(scratch(setting)), setting);
    const disk = await openDataset(scratch(setting), { setting, seed: 0 });
    expect(page.classes).toEqual(disk.classes.map(({ word }) => word));
    for (const split of SPLITS) {
      const images = (disk.splits[split] ?? []).map(({ path, label }) => [relative(scratch(setting), path), label]);
      const pictures = page.splits[split].map(({ picture, label }) => [
        picture.kind === 'file' ? picture.file.name : '',
        label,
      ]);
      expect(pictures, split).toEqual(images);
    }
  },
);

test('splits by any of their names, sub-folders of classes, accents written in two ways', async () => {
  const found = await read(
    named(
      ...['Train/été/1.png', 'Train/été/day/2.png'.normalize('NFD'), 'Train/joy/1.png'],
      ...['validation/joy/1.png', 'TEST/été/1.png', 'TEST/__MACOSX/1.png', 'dev/joy/1.png', 'Train/x.png'],
    ),
  );
  expect(found).toMatchObject({
    counts: [3, 1, 1],
    classes: ['joy', 'été'],
    notes: [
      'mine: folders beside Train, validation, TEST are left out: dev',
      'mine/Train: images in no folder of a class are left out (1, first x.png)',
    ],
  });
});

test('classes without a split have pictures to validate on; classes called by numbers are given words', async () => {
  const paths = Array.from({ length: 40 }, (_, i) => `images/${i % 2}/${i}.png`);
  const found = await read(named(...paths));
  expect([found.classes, found.counts]).toEqual([
    ['0', '1'],
    [26, 6, 8],
  ]);
  expect(found.notes).toEqual([expect.stringMatching(/^the classes are called by numbers/)]);
  const words = { path: 'classes.json', file: new File(['{"0": "awe", "1": "joy"}'], 'classes.json') };
  expect(await read([...named(...paths), words])).toMatchObject({ classes: ['awe', 'joy'], notes: [] });
});

test('a manifest, and what is wrong with it in one line', async () => {
  const images = named('a/1.png', 'b/2.png', 'b/3.png');
  const manifest = (text: string): Files => [
    ...images,
    { path: 'manifest.csv', file: new File([text], 'manifest.csv') },
  ];
  const good = 'path,label,split\na/1.png,awe,train\nb/2.png,"joy, great",train\nb/3.png,awe,test\n';
  expect(await read(manifest(good))).toMatchObject({ counts: [2, 0, 1], classes: ['awe', 'joy, great'] });
  await expectInputError(
    read(manifest('path,label\n../a.png,awe\n')),
    /^mine\/manifest\.csv: entry 1: expected a path/,
  );
  await expectInputError(read(manifest('path,label\n"a,awe\n')), /^mine\/manifest\.csv: expected comma-separated/);
  await expectInputError(read(named('a/1.png')), /^mine: no class folders with images; expected /);
});
