/** Manifests, well-meant and hostile. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { openDataset } from '../../../src/node/datasets.js';
import { expectInputError } from '../../clip/checkpoint/support.js';
import { scratchFolder } from '../scratch.js';

const scratch = scratchFolder();
let root: string;
let made = 0;
beforeEach(async () => {
  root = scratch(`data-${made++}`);
  await mkdir(join(root, 'pictures'), { recursive: true });
  for (const name of ['1', '2', '3', '4']) await writeFile(join(root, 'pictures', `${name}.jpg`), '');
});

/** Writes a manifest and opens it. */
async function open(text: string, name = 'list.csv') {
  await writeFile(join(root, name), text);
  return openDataset(join(root, name));
}

const images = async (dataset: ReturnType<typeof open>) => {
  const { splits, classes } = await dataset;
  return Object.entries(splits).flatMap(([split, list]) =>
    list.map(({ path, label }) => `${split} ${classes[label]!.word} ${path.slice(root.length + 1)}`),
  );
};

const FOUR = ['train anger pictures/2.jpg', 'train joy pictures/1.jpg', 'test joy pictures/3.jpg'];

describe('a manifest', () => {
  test('as CSV, in any order of columns, quoted, with a byte order mark', async () => {
    const csv =
      '\ufeffid,Label,split,path\r\n7,joy,training,"pictures/1.jpg"\r\n8,anger,train,pictures\\2.jpg\r\n\r\n9,joy,test,./pictures/3.jpg\r\n';
    expect(await images(open(csv))).toEqual(FOUR);
  });

  test('of more than 16 MiB, as CSV and as JSON', async () => {
    const note = 'x'.repeat(6 * 2 ** 20);
    const rows = [
      ['train', 'joy', 'pictures/1.jpg'],
      ['train', 'anger', 'pictures/2.jpg'],
      ['test', 'joy', 'pictures/3.jpg'],
    ];
    expect(await images(open(`split,label,path,note\n${rows.map((row) => `${row},${note}\n`).join('')}`))).toEqual(
      FOUR,
    );
    const objects = rows.map(([split, label, path]) => ({ split, label, path, note }));
    expect(await images(open(JSON.stringify(objects), 'list.json'))).toEqual(FOUR);
  });

  test('as JSON: objects, pairs, by split or not', async () => {
    const objects = [
      { path: 'pictures/1.jpg', label: 'joy', split: 'train' },
      { path: 'pictures/2.jpg', label: 'anger', split: 'Train' },
      { path: 'pictures/3.jpg', label: 'joy', split: 'test' },
    ];
    expect(await images(open(JSON.stringify(objects), 'list.json'))).toEqual(FOUR);
    const pairs = {
      train: [
        ['joy', 'pictures/1.jpg'],
        ['anger', 'pictures/2.jpg'],
      ],
      test: [['joy', 'pictures/3.jpg']],
    };
    expect(await images(open(JSON.stringify(pairs), 'list.json'))).toEqual(FOUR);
    // Whoever wrote the list made the split.
    expect((await open(JSON.stringify(pairs), 'list.json')).origin).toEqual({ kind: 'given' });
  });

  test('in a folder of its own name, with classes.json beside it', async () => {
    await writeFile(
      join(root, 'manifest.csv'),
      'path,label\npictures/1.jpg,b\npictures/2.jpg,a\npictures/3.jpg,b\npictures/4.jpg,b\n',
    );
    await writeFile(join(root, 'classes.json'), '{"b": "bliss", "a": "anger"}');
    const { setting, classes, origin, splits } = await openDataset(root);
    expect([setting, origin]).toEqual(['manifest', { kind: 'seeded', seed: 0 }]);
    expect(classes.map(({ word }) => word)).toEqual(['bliss', 'anger']);
    expect([splits.train?.length, splits.test?.length]).toEqual([3, 1]);
  });

  test('that names a missing file or repeats one says so', async () => {
    const { warnings, splits } = await open(
      'path,label\npictures/1.jpg,a\npictures/9.jpg,a\npictures/1.jpg,a\npictures/2.jpg,b\n',
    );
    expect(warnings).toEqual([
      'list.csv: 1 of 3 listed images are missing, first pictures/9.jpg',
      'list.csv: 1 of 4 entries repeat an image',
    ]);
    expect(splits.train).toHaveLength(2);
  });
});

describe('is refused', () => {
  test.each([
    [
      '../secret.jpg',
      /list\.csv: entry 1: expected a path below the folder of the data set, found "\.\.\/secret\.jpg"/,
    ],
    ['pictures/../../secret.jpg', /entry 1: expected a path below/],
    ['..\\secret.jpg', /entry 1: expected a path below/],
    ['/etc/passwd', /entry 1: expected a path below/],
    ['C:\\secret.jpg', /entry 1: expected a path below/],
    ['\\\\server\\secret.jpg', /entry 1: expected a path below/],
    ['', /entry 1: expected a path below/],
    [`${'x'.repeat(1000)}/../..`, /entry 1: expected a path below/],
  ])('where it names %j', async (path, message) => {
    await expectInputError(open(`path,label\n${path},joy\n`), message);
    await expectInputError(open(JSON.stringify([['joy', path]]), 'list.json'), /entry 1: expected a path below/);
  });

  test('where an image is in two splits or two classes', async () => {
    await expectInputError(
      open('path,label,split\npictures/1.jpg,joy,train\npictures/./1.jpg,joy,test\n'),
      /entry 2: pictures\/1\.jpg has split "test", but "train" in .*list\.csv: entry 1/,
    );
    await expectInputError(
      open('path,label\npictures/1.jpg,joy\npictures/1.jpg,fear\n'),
      /entry 2: pictures\/1\.jpg has class "fear", but "joy" in/,
    );
    await expectInputError(
      open('path,label,split\npictures/1.jpg,joy,train\npictures/2.jpg,joy,\n'),
      /entry 2: expected a split for all images or for none/,
    );
  });

  test('where it is no manifest', async () => {
    const cases: [string, string, RegExp][] = [
      ['list.csv', '', /expected a header with path and label, or with path and votes\(<class>\), found ""/],
      [
        'list.csv',
        'file,class\na.jpg,joy\n',
        /expected a header with path and label, or with path and votes\(<class>\), found "file,class"/,
      ],
      ['list.csv', 'path,label\n', /expected images, found none/],
      ['list.csv', 'path,label\n"a.jpg,joy\n', /expected comma-separated values \(Quote Not Closed/],
      ['list.csv', 'path,label\npictures/1.jpg\n', /entry 1: expected a path and a label/],
      [
        'list.csv',
        'path,label,split\npictures/1.jpg,joy,dev\n',
        /entry 1: expected split train, val or test, found "dev"/,
      ],
      ['list.csv', 'path,label,split\npictures/1.jpg,joy,constructor\n', /expected split train, val or test/],
      ['list.csv', 'path,label\npictures/9.jpg,joy\n', /entry 1: .*pictures\/9\.jpg is not there, nor is any other/],
      ['list.json', '{', /expected JSON/],
      ['list.json', '7', /expected an array of images or an object of such arrays, found 7/],
      ['list.json', '{"train": 7}', /expected an array for "train", found 7/],
      ['list.json', '[7]', /entry 1: expected a path and a label, found 7/],
      ['list.json', '[{"path": 7, "label": "a"}]', /entry 1: expected a path and a label/],
      [
        'list.json',
        '{"dev": [["a", "pictures/1.jpg"]]}',
        /dev entry 1: expected split train, val or test, found "dev"/,
      ],
    ];
    for (const [name, text, message] of cases) await expectInputError(open(text, name), message);
    await expectInputError(
      openDataset(root, { setting: 'manifest' }),
      /expected a manifest \(\.csv, \.json, or a folder/,
    );
    await expectInputError(openDataset(join(root, 'none.csv')), /none\.csv: not found/);
  });
});

test('a table in another encoding than UTF-8 is refused by name and line, UTF-16 with its mark is read', async () => {
  const table = 'path,label\npictures/1.jpg,joy\npictures/2.jpg,écœurement\n';
  await writeFile(join(root, 'list.csv'), Buffer.from(`\ufeff${table}`, 'utf16le'));
  expect((await openDataset(join(root, 'list.csv'))).classes.map(({ word }) => word)).toEqual(['joy', 'écœurement']);
  await writeFile(join(root, 'list.csv'), Buffer.from(table, 'latin1'));
  await expectInputError(openDataset(join(root, 'list.csv')), /list\.csv: line 3: expected UTF-8 text, found other/);
  await writeFile(join(root, 'list.csv'), 'path,label\npictures/1.jpg,joy\npictures/2.jpg,fear\n');
  await writeFile(join(root, 'classes.json'), Buffer.from('{"joy": "joy",\n"fear": "émoi"}', 'latin1'));
  await expectInputError(openDataset(join(root, 'list.csv')), /classes\.json: line 2: expected UTF-8 text/);
});

test('files are found whatever the case and the accents that a list writes them with', async () => {
  await mkdir(join(root, 'Été'.normalize('NFD')));
  await writeFile(join(root, 'Été'.normalize('NFD'), 'Joie.JPG'), '');
  const lines = ['Été/joie.jpg,joy', 'pictures/1.jpg,joy', 'Pictures/1.jpg,joy', 'Pictures/2.JPG,fear'];
  const { splits, warnings } = await open(`path,label,split\n${lines.map((line) => `${line},train\n`).join('')}`);
  expect(splits.train!.map(({ path }) => path.slice(root.length + 1)).sort()).toEqual(
    ['Été/Joie.JPG'.normalize('NFD'), 'pictures/1.jpg', 'pictures/2.jpg'].sort(),
  );
  expect(warnings).toEqual(['list.csv: 1 of 4 entries repeat an image']);
});

describe('votes in a manifest', () => {
  const shares = async (dataset: ReturnType<typeof open>) => {
    const { splits, classes } = await dataset;
    return Object.values(splits).flatMap((list) =>
      list.map(({ path, label, distribution }) => [path.slice(-5, -4), classes[label]!.word, ...(distribution ?? [])]),
    );
  };

  test('as columns of a CSV file, with labels or without; images that nobody voted for are left out', async () => {
    const csv =
      'path,split,votes(joy),Votes(fear)\npictures/1.jpg,train,3,1\npictures/2.jpg,train,1,1\npictures/3.jpg,train,0,0\n';
    const dataset = open(csv);
    // The classes are in alphabetical order, so a tie is fear.
    expect(await shares(dataset)).toEqual([
      ['2', 'fear', 0.5, 0.5],
      ['1', 'joy', 0.25, 0.75],
    ]);
    expect((await dataset).warnings).toEqual([
      '1 of 2 images with votes have several classes with most of them: their label is the first in the order of the classes',
    ]);
    expect(await shares(open('path,label,p(joy),p(fear)\npictures/1.jpg,fear,0.75,0.25\n'))).toEqual([
      ['1', 'fear', 0.25, 0.75],
    ]);
  });

  test('as an object of a JSON entry', async () => {
    const entries = [
      { path: 'pictures/1.jpg', votes: { joy: 2, fear: 6 } },
      { path: 'pictures/2.jpg', votes: { joy: 1, awe: 1, fear: 2 }, label: 'joy' },
    ];
    expect(await shares(open(JSON.stringify({ train: entries }), 'list.json'))).toEqual([
      ['1', 'fear', 0, 0.75, 0.25],
      ['2', 'joy', 0.25, 0.5, 0.25],
    ]);
  });

  test('of some images only, or no numbers, are refused', async () => {
    const some = [
      { path: 'pictures/1.jpg', votes: { joy: 2 } },
      { path: 'pictures/2.jpg', label: 'joy' },
    ];
    await expectInputError(
      open(JSON.stringify(some), 'list.json'),
      /entry 2: expected votes for all images or for none/,
    );
    await expectInputError(
      open('path,votes(joy)\npictures/1.jpg,x\n'),
      /entry 1: expected 1 numbers of votes from 0 on, found "x"/,
    );
    await expectInputError(
      open('[{"path": "a.jpg", "votes": [1]}]', 'list.json'),
      /entry 1: expected votes by class \(/,
    );
    await expectInputError(
      open('path,votes()\npictures/1.jpg,1\n'),
      /expected a header with path and label, or with path and votes\(/,
    );
    await expectInputError(
      open('path,votes(joy)\npictures/1.jpg,1\npictures/1.jpg,2\n'),
      /entry 2: pictures\/1\.jpg has votes "joy,2", but "joy,1" in/,
    );
  });
});
