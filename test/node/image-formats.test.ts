/** One list of image formats: whatever looks for images by name takes all of it, and the documents name all of it. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { IMAGE_FORMATS } from '../../src/clip/image/index.js';
import { openDataset } from '../../src/node/datasets.js';
import { listImages } from '../../src/node/image-files.js';
import { packageRoot } from '../../src/node/package.js';
import { labelledPictures } from '../../web/engine/labelled-pictures.js';
import { scratchFolder } from './scratch.js';

const scratch = scratchFolder();
const EXTENSIONS = IMAGE_FORMATS.flatMap(({ extensions }) => extensions);
const NAMES = EXTENSIONS.flatMap((extension) => [`1${extension}`, `2${extension.toUpperCase()}`]).sort();
const CLASSES = ['anger', 'joy'];

beforeAll(async () => {
  const files = CLASSES.flatMap((name) => NAMES.map((file) => `${name}/${file}`));
  for (const file of files) {
    for (const path of [`folders/train/${file}`, `lists/images/${file}`, `${file}`]) {
      await mkdir(dirname(scratch(path)), { recursive: true });
      await writeFile(scratch(path), '');
    }
  }
  await mkdir(scratch('lists/training_testing_split'));
  // The published lists have a number behind each name.
  const lines = files.map((file) => `${file} 3\n`).join('');
  await writeFile(scratch('lists/training_testing_split/training.txt'), lines);
  await writeFile(scratch('lists/training_testing_split/testing.txt'), '');
});

const trainNames = async (root: string) => {
  const { splits } = await openDataset(scratch(root));
  return splits.train!.filter(({ label }) => label === 0).map(({ path }) => basename(path));
};

test('folders of images, folders of classes and published lists take every extension, in either case', async () => {
  expect((await listImages([scratch('anger')])).map((path) => basename(path))).toEqual(NAMES);
  expect(await trainNames('folders')).toEqual(NAMES);
  expect((await trainNames('lists')).sort()).toEqual(NAMES);
});

test('the page takes the same of a folder', async () => {
  const files = CLASSES.flatMap((name) =>
    NAMES.map((file) => ({ path: `train/${name}/${file}`, file: new File([], file) })),
  );
  const { splits } = await labelledPictures({ kind: 'folder', name: 'mine', files, seed: 0 });
  expect(splits.train).toHaveLength(files.length);
});

test.each(['docs/datasets.md', 'docs/robustness.md', 'docs/web.md'])('%s names them all', async (file) => {
  const text = await readFile(join(packageRoot(), file), 'utf8');
  for (const { name, extensions } of IMAGE_FORMATS) {
    expect(text).toMatch(new RegExp(`\\b${name}\\b`));
    if (file.endsWith('datasets.md')) for (const extension of extensions) expect(text).toContain(`\`${extension}\``);
  }
});
