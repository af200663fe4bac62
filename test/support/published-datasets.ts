/** Small data sets of generated images in the layouts in which the real ones are published. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { encodeJpeg } from '../../src/clip/image/index.js';
import { loadImageCodecs } from '../../src/node/image-codecs.js';
import { type NamedSetting, SPLITS, type Split } from '../../src/ptdpc/datasets/index.js';
import { randomReals } from './random.js';

const EIGHT = ['amusement', 'anger', 'awe', 'contentment', 'disgust', 'excitement', 'fear', 'sadness'];
const EMOSET = ['amusement', 'awe', 'contentment', 'excitement', 'anger', 'disgust', 'fear', 'sadness'];
const LDL = ['Amusement', 'Awe', 'Contentment', 'Excitement', 'Anger', 'Disgust', 'Fear', 'Sadness'];
const SIX = ['anger', 'disgust', 'fear', 'joy', 'sadness', 'surprise'];
const TWO = ['negative', 'positive'];
const ABSTRACT = ['Amusement', 'Anger', 'Awe', 'Content', 'Disgust', 'Excitement', 'Fear', 'Sad'];

export interface PublishedOptions {
  /** Images of each folder in each published split; of their sum where none is published. */
  perClass?: Readonly<Record<Split, number>>;
}

/** Writes the images and lists of a data set into the folder `root`. */
export async function writePublished(
  root: string,
  setting: NamedSetting,
  options: PublishedOptions = {},
): Promise<void> {
  const { perClass = { train: 3, val: 1, test: 2 } } = options;
  const all = SPLITS.reduce((sum, split) => sum + perClass[split], 0);
  const image = await imageWriter(root);
  const text = async (path: string, contents: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), contents);
  };
  const folders = async (below: string, splits: readonly Split[], names: readonly string[]) => {
    for (const split of splits) {
      for (const [c, name] of names.entries()) {
        for (let i = 0; i < perClass[split]; i++) await image(`${below}${split}/${name}/${name}_${i}.jpg`, c);
      }
    }
  };
  switch (setting) {
    case 'fi8':
    case 'fi2':
      return folders('', SPLITS, EIGHT);
    case 'twitter1':
      for (const fold of [1, 2, 3, 4, 5]) await folders(`${fold}/`, ['train', 'test'], TWO);
      return;
    case 'twitter2':
      return folders('', ['train', 'test'], TWO);
    case 'emotionroi6':
    case 'emotionroi2': {
      const lists = { training: '', testing: '' };
      for (const [c, name] of SIX.entries()) {
        for (let i = 0; i < perClass.train + perClass.test; i++) {
          await image(`images/${name}/${i + 1}.jpg`, c);
          lists[i < perClass.train ? 'training' : 'testing'] += `${name}/${i + 1}.jpg\r\n`;
        }
      }
      for (const [name, lines] of Object.entries(lists)) await text(`training_testing_split/${name}.txt`, lines);
      return;
    }
    case 'emoset8':
    case 'emoset2':
      for (const split of SPLITS) {
        const list: string[][] = [];
        for (const [c, name] of EIGHT.entries()) {
          for (let i = 0; i < perClass[split]; i++) {
            const id = `${name}_${split.length}${i}`;
            await image(`image/${name}/${id}.jpg`, c);
            list.push([name, id, `image/${name}/${id}.jpg`, `annotation/${name}/${id}.json`]);
          }
        }
        await text(`${split}.json`, JSON.stringify(list));
      }
      // The order of its labels is its own.
      return text(
        'info.json',
        JSON.stringify({ emotion: { label2idx: Object.fromEntries(EMOSET.map((name, i) => [name, i])) } }),
      );
    case 'emotion6':
      for (const [c, name] of SIX.entries()) {
        for (let i = 0; i < all; i++) await image(`images/${name}/${i + 1}.jpg`, c);
      }
      return text('ground_truth.txt', '[image_filename]\t[valence]\t[arousal]\n');
    case 'emotion6ldl': {
      // As the README of the database shows it: the folder is what was searched for, and most people see something else in one of six.
      const lines = [
        `[image_filename] [valence] [arousal] ${[...SIX, 'neutral'].map((name) => `[prob. ${name}]`).join(' ')}`,
      ];
      for (const [c, name] of SIX.entries()) {
        for (let i = 0; i < all; i++) {
          await image(`images/${name}/${i + 1}.jpg`, c);
          const most = i === 0 ? SIX.length : c;
          const shares = [...SIX, 'neutral'].map((_, k) => (k === most ? 0.666667 : k === (c + 1) % 6 ? 0.333333 : 0));
          lines.push(`${name}/${i + 1}.jpg\t2.5\t3.8\t${shares.join('\t')}`);
        }
      }
      return text('ground_truth.txt', `${lines.join('\n')}\n`);
    }
    case 'flickrldl8':
    case 'twitterldl8': {
      const lines = [`images-name ${LDL.join(' ')}`];
      for (let i = 0; i < all * LDL.length; i++) {
        await image(`images/${i + 1}.jpg`, i % LDL.length);
        const votes = LDL.map((_, c) => (c === i % LDL.length ? 5 : c === (i + 1) % LDL.length ? 3 : 0));
        lines.push(`${i + 1}.jpg ${votes.join(' ')}`);
      }
      return text('ground_truth.txt', `${lines.join('\n')}\n`);
    }
    case 'artphoto8':
      for (const [c, name] of EIGHT.entries()) {
        const own = name === 'sadness' ? 'sad' : name;
        for (let i = 0; i < all; i++) await image(`${own}_${String(i).padStart(4, '0')}.jpg`, c);
      }
      return;
    case 'abstract8': {
      const lines = [`'',${ABSTRACT.map((name) => `'${name}'`).join()}`];
      for (let i = 0; i < all * ABSTRACT.length; i++) {
        const path = `abstract_${String(i).padStart(4, '0')}.jpg`;
        const winner = i % ABSTRACT.length;
        await image(path, winner);
        lines.push(`'${path}',${ABSTRACT.map((_, c) => (c === winner ? 5 : 1)).join()}`);
      }
      // Two classes with as many votes: no label.
      await image('abstract_9999.jpg', 0);
      lines.push(`'abstract_9999.jpg',4,4,${ABSTRACT.slice(2).map(() => 0)}`);
      return text('ABSTRACT_groundTruth.csv', `${lines.join('\n')}\n`);
    }
  }
}

/** Writes pictures, each another one, more or less of the class's colour. */
async function imageWriter(root: string): Promise<(path: string, colour: number) => Promise<void>> {
  loadImageCodecs();
  const [width, height] = [24, 18];
  let made = 0;
  return async (path, colour) => {
    const noise = randomReals(made++)(width * height * 3);
    const rgb = Uint8Array.from(noise, (x, i) => 60 + 50 * x + (((colour + 1) >> (i % 3)) & 1) * 90);
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), await encodeJpeg(rgb, width, height, 90));
  };
}
