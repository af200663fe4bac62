/** Small pictures in the numbers of real data sets, made once: each with bytes of its own, since features are kept by content. */
import { existsSync, linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { encodeJpeg, encodePng } from '../../src/clip/image/index.js';
import { loadImageCodecs } from '../../src/node/image-codecs.js';
import { benchFile } from '../models.js';

/** Pixels of a side: what is measured is all but decoding and the tower. */
const SIDE = 8;

function picture(i: number): Uint8Array {
  const pixels = Uint8Array.from(
    { length: SIDE * SIDE * 3 },
    (_, at) => (Math.imul(i + 1, 2654435761) >>> (at % 24)) & 255,
  );
  return encodePng(pixels, SIDE, SIDE);
}

/** Made under another name and then moved, so that what an interruption leaves is not taken for the whole. */
function madeOnce(name: string, make: (folder: string) => void): string {
  const folder = benchFile(join('scale', name));
  if (existsSync(folder)) return folder;
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  make(partial);
  renameSync(partial, folder);
  return folder;
}

/**
 * `count` pictures in one folder, and in `other` links to the same files whose names sort in another order: that of their numbers' digits
 * read from the right.
 */
export function flatPictures(count: number): { folder: string; other: string } {
  const both = madeOnce(`flat-${count}`, (root) => {
    for (const inner of ['own', 'other']) mkdirSync(join(root, inner));
    for (let i = 0; i < count; i++) {
      const digits = String(i).padStart(6, '0');
      const own = join(root, 'own', `${digits}.png`);
      writeFileSync(own, picture(i));
      linkSync(own, join(root, 'other', `${[...digits].reverse().join('')}.png`));
    }
  });
  return { folder: join(both, 'own'), other: join(both, 'other') };
}

/** The pictures of `flatPictures` as test images of eight classes in turn, and the first of each class for training too. */
export function labelledPictures(count: number): string {
  const { folder } = flatPictures(count);
  return madeOnce(`labelled-${count}`, (root) => {
    for (const split of ['train', 'test'])
      for (let c = 0; c < 8; c++) mkdirSync(join(root, split, `kind ${c}`), { recursive: true });
    for (let i = 0; i < count; i++) {
      const name = `${String(i).padStart(6, '0')}.png`;
      for (const split of i < 8 ? ['train', 'test'] : ['test'])
        linkSync(join(folder, name), join(root, split, `kind ${i % 8}`, name));
    }
  });
}

/** `count` photographs of 64 megapixels as JPEG files, which differ in one block. */
export async function largePictures(count: number): Promise<string> {
  loadImageCodecs();
  const side = 8000;
  const pixels = new Uint8Array(side * side * 3).fill(120);
  const files: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    pixels.fill(20 * i, 0, 24);
    files.push(await encodeJpeg(pixels, side, side, 90));
  }
  return madeOnce(`large-${count}`, (root) => {
    files.forEach((bytes, i) => {
      writeFileSync(join(root, `${i}.jpg`), bytes);
    });
  });
}

/** `{train,test}/<class>/`, one picture in each. */
export function manyClasses(classes: number): string {
  return madeOnce(`classes-${classes}`, (root) => {
    for (let c = 0; c < classes; c++) {
      for (const [k, split] of ['train', 'test'].entries()) {
        const path = join(root, split, `kind ${c}`, `${c}.png`);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, picture(2 * c + k));
      }
    }
  });
}
