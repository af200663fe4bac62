/** Small pictures in the numbers of real data sets, made once: each with bytes of its own, since features are kept by content. */
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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
async function madeOnce(name: string, make: (folder: string) => void | Promise<void>): Promise<string> {
  const folder = benchFile(join('scale', name));
  if (existsSync(folder)) return folder;
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  await make(partial);
  renameSync(partial, folder);
  return folder;
}

/**
 * `count` pictures in one folder, and in `other` links to the same files whose names sort in another order: that of their numbers' digits
 * read from the right.
 */
export async function flatPictures(count: number): Promise<{ folder: string; other: string }> {
  const both = await madeOnce(`flat-${count}`, (root) => {
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
export async function labelledPictures(count: number): Promise<string> {
  const { folder } = await flatPictures(count);
  return await madeOnce(`labelled-${count}`, (root) => {
    for (const split of ['train', 'test'])
      for (let c = 0; c < 8; c++) mkdirSync(join(root, split, `kind ${c}`), { recursive: true });
    for (let i = 0; i < count; i++) {
      const name = `${String(i).padStart(6, '0')}.png`;
      for (const split of i < 8 ? ['train', 'test'] : ['test'])
        linkSync(join(folder, name), join(root, split, `kind ${i % 8}`, name));
    }
  });
}

/** `count` photographs of 64 megapixels as JPEG files: the same pixels, and a comment by which the files differ. */
export async function largePictures(count: number): Promise<string> {
  const side = 8000;
  const one = await madeOnce('large', async (root) => {
    loadImageCodecs();
    const pixels = Uint8Array.from({ length: side * side * 3 }, (_, at) => (at ^ (at >> 8)) & 127);
    writeFileSync(join(root, 'one.jpg'), await encodeJpeg(pixels, side, side, 90));
  });
  return await madeOnce(`large-${count}`, (root) => {
    const bytes = readFileSync(join(one, 'one.jpg'));
    for (let i = 0; i < count; i++) {
      const comment = Uint8Array.of(0xff, 0xfe, 0, 3, i);
      writeFileSync(join(root, `${i}.jpg`), Buffer.concat([bytes.subarray(0, 2), comment, bytes.subarray(2)]));
    }
  });
}

/** `{train,test}/<class>/`, one picture in each. */
export async function manyClasses(classes: number): Promise<string> {
  return await madeOnce(`classes-${classes}`, (root) => {
    for (let c = 0; c < classes; c++) {
      for (const [k, split] of ['train', 'test'].entries()) {
        const path = join(root, split, `kind ${c}`, `${c}.png`);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, picture(2 * c + k));
      }
    }
  });
}

/** A manifest of the pictures of `flatPictures`, of 170 bytes for each. */
export async function manifestOf(count: number): Promise<string> {
  const { folder } = await flatPictures(count);
  const root = await madeOnce(`manifest-${count}`, (made) => {
    const listed = Array.from({ length: count }, (_, i) => ({
      path: `${String(i).padStart(6, '0')}.png`,
      label: `kind ${i % 8}`,
      split: i % 2 ? 'train' : 'test',
      caption: 'words of another program, which are passed over '.repeat(2),
    }));
    writeFileSync(join(made, 'list.json'), JSON.stringify(listed));
  });
  const manifest = join(folder, 'list.json');
  rmSync(manifest, { force: true });
  linkSync(join(root, 'list.json'), manifest);
  return manifest;
}

/** `{train,val,test}/<class>/` of FI's eight classes, with half of the pictures in `train`. */
export async function emotionPictures(count: number): Promise<string> {
  const classes = ['amusement', 'anger', 'awe', 'contentment', 'disgust', 'excitement', 'fear', 'sadness'];
  const splits = ['train', 'train', 'val', 'test'];
  return await madeOnce(`emotions-${count}`, (root) => {
    for (let i = 0; i < count; i++) {
      const path = join(root, splits[Math.floor(i / 8) % 4]!, classes[i % 8]!, `${i}.png`);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, picture(i));
    }
  });
}

/** Gives a run the metrics of `steps` steps, in ten epochs. */
export function writeMetrics(run: string, steps: number): void {
  const lines: string[] = [];
  for (let epoch = 0; epoch < 10; epoch++) {
    for (let i = 0; i < steps / 10; i++)
      lines.push(JSON.stringify({ type: 'step', epoch, step: epoch * (steps / 10) + i, loss: 2 - i / steps, lr: 0.1 }));
    lines.push(
      JSON.stringify({ type: 'epoch', epoch, trainLoss: 1, trainAccuracy: 0.5, valLoss: null, valAccuracy: null }),
    );
  }
  writeFileSync(join(run, 'metrics.jsonl'), `${lines.join('\n')}\n`);
}
