/** Ten thousand classes take as many steps each as ten: counted in looks at a class or an image, not in seconds. */
import { expect, test } from 'vitest';
import { checkReadDataset, tallyDataset } from '../../../src/ptdpc/datasets/check-dataset.js';
import type { DataFolder, FolderEntry } from '../../../src/ptdpc/datasets/data-folder.js';
import { numberedWarnings } from '../../../src/ptdpc/datasets/folder-names.js';
import { readDataset } from '../../../src/ptdpc/datasets/open-dataset.js';

const CLASSES = 2000;
const folders = Array.from({ length: CLASSES }, (_, c) => `class_${c}`);

/** `<class>/{0,1}.jpg`, in memory. */
const data: DataFolder = {
  name: 'data',
  place: (path) => `data/${path}`,
  identity: (path) => Promise.resolve(path),
  has: () => Promise.resolve(false),
  text: () => Promise.reject(new Error('not asked for')),
  csv: () => Promise.reject(new Error('not asked for')),
  list: (path) => {
    const entry = (name: string, isFolder: boolean): FolderEntry => ({ name, isFolder, isLink: false, isLost: false });
    if (path === '') return Promise.resolve(folders.map((name) => entry(name, true)));
    return Promise.resolve(['0.jpg', '1.jpg'].map((name) => entry(name, false)));
  },
};

test('each class and each image is looked at a few times, however many there are', async () => {
  let looks = 0;
  const classes = folders.map((name) => ({
    get folder() {
      looks++;
      return name;
    },
    word: name,
  }));
  const read = await readDataset(data, { setting: 'folders', classes });
  const check = await checkReadDataset(data, read);
  expect(check.all.total).toBe(2 * CLASSES);
  expect(check.classes[7]).toMatchObject({ names: ['class_7'], total: 2 });
  expect(looks).toBeLessThan(20 * CLASSES);
  let labels = 0;
  const images = folders.map((path, c) => ({
    path,
    get label() {
      labels++;
      return c;
    },
  }));
  expect(tallyDataset({ setting: 'folders', classes, splits: { train: images } }).classes[3]!.total).toBe(1);
  expect(labels).toBeLessThan(3 * CLASSES);
});

test('of many classes that are left out, the first are named', async () => {
  const classes = folders.slice(0, 2).map((folder) => ({ folder, word: folder }));
  const { dataset } = await readDataset(data, { setting: 'folders', classes });
  const [warning] = dataset.warnings.filter((line) => line.includes('left out'));
  expect(warning).toMatch(/ and 1,978 more$/);
  expect(warning!.length).toBeLessThan(2000);
});

test('a name that begins with a number is read in one pass, which is impossible in quadratic time', () => {
  const { user } = process.cpuUsage();
  for (const part of ['.', ' ', '_', '-', '\n', '. ', '1.']) {
    const name = `1${part.repeat(2 ** 20)}a\nb`;
    expect(numberedWarnings([name, name])).toHaveLength(1);
  }
  // Microseconds: hours would not do for quadratic time.
  expect(process.cpuUsage().user - user).toBeLessThan(60e6);
});
