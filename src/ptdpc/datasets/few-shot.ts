/**
 * Few-shot training sets: n training images of each class, and at most four of its validation images, as the published code of CoOp takes
 * them (Zhou, Yang, Loy and Liu, Learning to Prompt for Vision-Language Models, IJCV 2022: `min(num_shots, 4)` in its data sets). Which ones
 * depends, like a seeded split, on the seed and on the images' classes and file names alone; those of n shots are among those of n + 1.
 */
import type { LabelledPath, Shots } from './dataset.js';
import type { ListedImage } from './listed-images.js';
import { rankOf } from './seeded-split.js';

/** Of each class's validation images so many are kept. */
const MOST_VALIDATED = 4;

/**
 * The images without the training and validation images beyond the shots of their classes, in the given order. `labels`: the class of each name,
 * -1 for names that take no part.
 */
export function fewShots(
  images: readonly ListedImage[],
  labels: ReadonlyMap<string, number>,
  { images: shots, seed }: Shots,
): ListedImage[] {
  const ofClass = new Map<string, ListedImage[]>();
  for (const image of images) {
    if (image.split !== 'train' && image.split !== 'val') continue;
    const key = `${image.split} ${labels.get(image.name) ?? -1}`;
    const own = ofClass.get(key) ?? [];
    ofClass.set(key, own);
    own.push(image);
  }
  const dropped = new Set<ListedImage>();
  for (const own of ofClass.values()) {
    const most = own[0]?.split === 'train' ? shots : Math.min(shots, MOST_VALIDATED);
    const ranked = own.map((image) => ({ image, rank: rankOf(image, `shots ${seed}`) }));
    ranked.sort((a, b) => a.rank - b.rank || (a.image.path < b.image.path ? -1 : 1));
    for (const { image } of ranked.slice(most)) dropped.add(image);
  }
  return images.filter((image) => !dropped.has(image));
}

/** Classes that are named; more are counted. */
const MOST_NAMED = 5;

/** What to say of classes that have fewer training images than asked for; undefined if there are none. */
export function shotsWarning(
  train: readonly LabelledPath[],
  classes: readonly { readonly folder: string }[],
  { images: shots }: Shots,
): string | undefined {
  const counts = classes.map(() => 0);
  for (const { label } of train) counts[label]!++;
  const short = classes.flatMap(({ folder }, label) => {
    const count = counts[label]!;
    return count > 0 && count < shots ? [`${folder} ${count}`] : [];
  });
  if (short.length === 0) return undefined;
  const more = short.length > MOST_NAMED ? ` and ${short.length - MOST_NAMED} more` : '';
  return `--shots ${shots}: fewer training images in ${short.slice(0, MOST_NAMED).join(', ')}${more}; all of them are used`;
}
