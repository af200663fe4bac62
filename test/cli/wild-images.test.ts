/** Images as they are in the wild, through every command that reads them: read, or left out and listed last with the reason. */
import { execFileSync } from 'node:child_process';
import { chmod, copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { fixture, ptdpc, ptdpcJson, scratchPath, setUpProgram } from './program.js';
import { noisyPng, setUpModelAndImages, train } from './tuning/support.js';

setUpProgram();
setUpModelAndImages();

/** Kinds of images that are read, each from a fixture; the extension need not be right. */
const READABLE = {
  'progressive.jpg': 'small/jpeg-420-progressive.jpg',
  'grey.jpg': 'small/jpeg-grey.jpg',
  'cmyk.jpg': 'small/jpeg-cmyk.jpg',
  'ycck.jpg': 'small/jpeg-adobe-ycck.jpg',
  '16-bit.png': 'small/png-type2-16bit.png',
  'interlaced.png': 'small/png-type6-8bit-interlaced.png',
  'palette-1-bit.png': 'small/png-type3-1bit.png',
  'grey-2-bit.png': 'small/png-type0-2bit.png',
  'grey-4-bit.png': 'small/png-type0-4bit-interlaced.png',
  'rotated-by-exif.jpg': 'j5_640x480_RGB.jpg',
  'png-called.jpg': '03_100x80_RGB.png',
  'jpeg-called.png': 'small/jpeg-444.jpg',
} as const;

/** Files that are left out, each with its first bytes (or what it is) and the reason. */
const UNREADABLE: readonly (readonly [name: string, start: string, reason: RegExp])[] = [
  ['avif.jpg', '\0\0\0\x1cftypavif', /an AVIF image/],
  ['bmp.jpg', 'BM\x36\0\0\0', /BMP image is cut short/],
  ['empty.jpg', '', /an empty file/],
  ['gif.jpg', 'GIF89a\x01\0\x01\0', /GIF image is cut short/],
  ['heic.jpg', '\0\0\0\x18ftypheic', /an HEIC image/],
  ['html.png', '<!DOCTYPE html>', /a text/],
  ['webp.jpg', 'RIFF\x10\0\0\0WEBPVP8 ', /WebP image is cut short/],
  ['zeros.jpg', '\0'.repeat(1000), /1000 zero bytes/],
];

interface Skipped {
  path: string;
  reason: string;
}

/** Fills a folder. Returns the names that must be listed as left out, sorted, each with its reason. */
async function fill(folder: string): Promise<(readonly [name: string, reason: RegExp])[]> {
  await mkdir(folder, { recursive: true });
  for (const [name, from] of Object.entries(READABLE))
    await copyFile(fixture(`preprocess/${from}`), join(folder, name));
  for (const [name, start] of UNREADABLE) await writeFile(join(folder, name), start, 'latin1');
  // An animated PNG is its still image to everyone who knows no better.
  const png = noisyPng(8, 1);
  const control = Buffer.from('000000086163544c0000000100000000b42de9a0', 'hex');
  await writeFile(join(folder, 'animated.png'), Buffer.concat([png.subarray(0, 33), control, png.subarray(33)]));
  const jpeg = await readFile(fixture('preprocess/j0_640x427_RGB.jpg'));
  await writeFile(join(folder, 'cut.jpg'), jpeg.subarray(0, jpeg.length >> 1));
  await writeFile(join(folder, 'new\nline.jpg'), 'no image');
  execFileSync('mkfifo', [join(folder, 'pipe.jpg')]);
  await symlink(join(folder, 'nowhere'), join(folder, 'dangling.jpg'));
  const more: (readonly [string, RegExp])[] = [
    ['cut.jpg', /cut short/],
    ['dangling.jpg', /cannot be opened \(no such file or folder\)/],
    ['new\nline.jpg', /new\\u000aline\.jpg: expected a JPEG.* image/],
    ['pipe.jpg', /a pipe/],
  ];
  // The administrator may read everything.
  if (process.getuid?.() !== 0) {
    await copyFile(fixture('preprocess/03_100x80_RGB.png'), join(folder, 'forbidden.png'));
    await chmod(join(folder, 'forbidden.png'), 0);
    more.push(['forbidden.png', /cannot be read \(permission denied\)/]);
  }
  return [...UNREADABLE.map(([name, , reason]) => [name, reason] as const), ...more].sort(([a], [b]) =>
    a < b ? -1 : 1,
  );
}

let listed: (readonly [name: string, reason: RegExp])[];

beforeAll(async () => {
  for (const split of ['train', 'test']) {
    for (const name of ['awe', 'sadness']) {
      const folder = scratchPath(`wild/${split}/${name}`);
      await mkdir(folder, { recursive: true });
      for (let i = 0; i < 2; i++) await writeFile(join(folder, `good-${i}.png`), noisyPng(8, i));
    }
    listed = await fill(scratchPath(`wild/${split}/awe`));
  }
  await train('tuned', '--data', 'wild', '--epochs', '1');
});

function expectListed(skipped: readonly Skipped[]): void {
  expect(skipped.map(({ path }) => path.split('/').at(-1))).toEqual(listed.map(([name]) => name));
  for (const [i, [name, reason]] of listed.entries()) expect(skipped[i]?.reason, name).toMatch(reason);
}

/** The last lines on standard error are the list, a line for each image. */
async function expectListIsLast(...args: string[]): Promise<string[]> {
  const { code, stderr } = await ptdpc([...args, '--device', 'cpu']);
  expect(code, stderr).toBe(0);
  const lines = stderr.trimEnd().split('\n');
  const start = lines.findIndex((line) => /^\d+ unreadable images skipped:$/.test(line));
  expect(start, stderr).toBeGreaterThanOrEqual(0);
  const list = lines.slice(start + 1);
  expect(
    list.every((line) => line.startsWith('  ')),
    stderr,
  ).toBe(true);
  expect(lines[start]).toBe(`${list.length} unreadable images skipped:`);
  return list;
}

const model = ['--model', 'model'];

test('embed reads what can be read and lists the rest', async () => {
  const args = ['embed', 'wild/test', ...model, '--out', scratchPath('wild.st'), '--device', 'cpu'];
  const { shape, skipped } = await ptdpcJson<{ shape: number[]; skipped: Skipped[] }>(args);
  expect(shape[0]).toBe(4 + 1 + Object.keys(READABLE).length);
  expectListed(skipped);
  expect(await expectListIsLast(...args.slice(0, -2))).toHaveLength(listed.length);
});

test('train, zeroshot, eval and predict list them last, and in their JSON', async () => {
  const onTest = ['--data', 'wild', '--split', 'test'];
  for (const args of [
    ['zeroshot', ...model, ...onTest],
    ['eval', '--run', 'tuned', ...onTest],
    ['predict', '--run', 'tuned', 'wild/test'],
  ]) {
    expect(await expectListIsLast(...args), args[0]!).toHaveLength(listed.length);
    expectListed((await ptdpcJson<{ skipped: Skipped[] }>([...args, '--device', 'cpu'])).skipped);
  }
  const again = ['train', ...model, '--data', 'wild', '--out', 'once-more', '--epochs', '1'];
  const list = await expectListIsLast(...again);
  expect(list).toHaveLength(listed.length);
  const { skipped } = await ptdpcJson<{ skipped: Skipped[] }>([...again, '--device', 'cpu']);
  expectListed(skipped);
});
