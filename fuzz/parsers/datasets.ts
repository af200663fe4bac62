/** What says which images a data set has: classes.json, manifests, and the lists in which published data sets come. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DatasetOptions, openDataset } from '../../src/node/datasets.js';
import { mutate } from '../mutate.js';
import { type FuzzedParser, MiB, utf8 } from '../parser.js';
import type { Random } from '../random.js';
import { damagedJson } from './json.js';

const FOLDERS = ['awe', 'great_joy', 'sadness'];

/** Paths that lead out of the data set, or nowhere, beside what may stand in any cell. */
const ODD_CELLS = [
  '../outside.jpg',
  '/etc/passwd',
  'C:\\outside.jpg',
  'images/awe/../../../outside.jpg',
  '..\\..\\outside.jpg',
  '\0.jpg',
  '.',
  '',
  '"',
  "'",
  'a"b',
  '-1',
  '1e999',
  'NaN',
  'test',
  'constructor',
  '\u2028\u001b[31m',
  'x'.repeat(3000),
];

/** A table with cells replaced, rows lost or repeated, and one delimiter too many. */
function damagedTable(rows: readonly (readonly string[])[], delimiter: string, random: Random): Uint8Array {
  let out = rows.map((row) => [...row]);
  for (let changes = random.below(4); changes > 0 && out.length > 0; changes--) {
    const at = random.below(out.length);
    const row = out[at]!;
    const copies = random.oneIn(4) ? 500 : 1;
    const kind = random.below(8);
    if (kind === 0) out = out.toSpliced(at, 1);
    else if (kind === 1) out = [...out, ...Array<string[]>(copies).fill(row)];
    else if (kind === 2) row.push(random.pick(ODD_CELLS));
    else row[random.below(row.length)] = random.pick(random.oneIn(3) ? out.flat() : ODD_CELLS);
  }
  const text = utf8(out.map((row) => row.join(delimiter)).join(random.pick(['\n', '\n', '\r\n'])));
  return random.oneIn(3) ? mutate(text, random, text) : text;
}

/** A list in a folder with images in `<below><class>/1.jpg` and `2.jpg`. */
function list(
  name: string,
  what: string,
  { file, below = '', others = {} }: { file: string; below?: string; others?: Readonly<Record<string, string>> },
  make: (random: Random) => Uint8Array,
  options?: DatasetOptions,
): FuzzedParser {
  let root: string;
  return {
    name,
    what,
    make,
    prepare: async (scratch) => {
      // The name is in every message: some name the folder, some the list.
      root = join(scratch, 'list');
      for (const folder of FOLDERS) {
        await mkdir(join(root, below, folder), { recursive: true });
        for (const image of ['1.jpg', '2.jpg']) await writeFile(join(root, below, folder, image), '');
      }
      for (const [other, text] of Object.entries(others)) {
        await mkdir(join(root, other, '..'), { recursive: true });
        await writeFile(join(root, other), text);
      }
    },
    async read(input) {
      await rm(join(root, file), { force: true });
      await writeFile(join(root, file), input);
      const isManifest = file.startsWith('list.');
      const { classes, splits } = await openDataset(isManifest ? join(root, file) : root, options);
      for (const { path, label } of Object.values(splits).flat()) {
        if (!path.startsWith(`${root}/`)) throw new Error(`an image outside the data: ${path}`);
        if (!classes[label]) throw new Error(`a label without a class: ${label}`);
      }
    },
    names: 'list',
    memory: (length) => 16 * MiB + 128 * length,
  };
}

export const classes = list(
  'classes',
  'classes.json of a folder of labelled images',
  { file: 'classes.json', below: 'train' },
  (random) => damagedJson(JSON.stringify(random.oneIn(2) ? FOLDERS : { awe: 'awe', great_joy: 'great joy' }), random),
);

const ENTRIES = FOLDERS.flatMap((folder) => [
  { path: `images/${folder}/1.jpg`, label: folder, split: 'train' },
  { path: `images/${folder}/2.jpg`, label: folder, split: 'test' },
]);

export const manifest = list(
  'manifest-csv',
  'manifests of images as CSV',
  { file: 'list.csv', below: 'images' },
  (random) => damagedTable([['path', 'label', 'split'], ...ENTRIES.map((entry) => Object.values(entry))], ',', random),
);

export const jsonManifest = list(
  'manifest-json',
  'manifests of images as JSON',
  { file: 'list.json', below: 'images' },
  (random) => {
    const pairs = ENTRIES.map(({ path, label }) => [label, path]);
    const bySplit = { train: pairs.slice(0, 3), test: pairs.slice(3) };
    return damagedJson(JSON.stringify(random.pick<object>([ENTRIES, pairs, bySplit])), random);
  },
);

export const roi = list(
  'roi-lists',
  "EmotionROI's training_testing_split",
  {
    file: 'training_testing_split/training.txt',
    below: 'images',
    others: { 'training_testing_split/testing.txt': 'awe/2.jpg\n' },
  },
  (random) =>
    damagedTable(
      [...FOLDERS, 'fear'].map((folder) => [folder, '1.jpg']),
      '/',
      random,
    ),
);

export const emoset = list(
  'emoset-json',
  "EmoSet's train.json",
  { file: 'train.json', below: 'image', others: { 'info.json': '{}' } },
  (random) =>
    damagedJson(
      JSON.stringify(FOLDERS.map((folder) => [folder, '1', `image/${folder}/1.jpg`, `annotation/${folder}/1.json`])),
      random,
    ),
);

export const abstract = list(
  'abstract-csv',
  "Abstract's table of votes",
  { file: 'ABSTRACT_groundTruth.csv' },
  (random) => {
    const head = ["''", "'Awe'", "'Fear'", "'Sad'"];
    const rows = FOLDERS.map((folder, i) => [`'${folder}/1.jpg'`, ...[0, 1, 2].map((c) => String(c === i ? 5 : 1))]);
    return damagedTable([head, ...rows], ',', random);
  },
);
