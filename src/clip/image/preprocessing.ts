/** How a model wants its pictures: what decides its pixels besides the picture. Read from a model's files by `src/clip/config`. */
import { InputError } from '../../errors.js';
import { CLIP_MEAN, CLIP_STD, IMAGENET_MEAN, IMAGENET_STD, type PixelStatistics } from './normalize.js';
import type { Filter } from './resample.js';

/** A model's image preprocessing. Plain data: it becomes JSON, and crosses to other threads. */
export interface Preprocessing extends PixelStatistics {
  /** Side in pixels of the square that the model takes, cropped from the middle. */
  readonly size: number;
  /** Pixels of the side or sides that are resized, before the crop; at least `size`. */
  readonly resize: number;
  /** `shortest`: the short side becomes `resize`, the long one in proportion; `squash`: both do. */
  readonly shape: 'shortest' | 'squash';
  readonly filter: Filter;
  /** When the picture becomes RGB: `after` the crop as in CLIP and OpenCLIP, or `before` the resize as in timm. */
  readonly toRgb: 'after' | 'before';
}

/** CLIP models take 224 to 448 pixels. */
const LARGEST_SIZE = 4096;

/** OpenAI's, at a model's size in pixels: what a model has whose files say nothing else. */
export function clipPreprocessing(size: number): Preprocessing {
  const how = { size, resize: size, shape: 'shortest', filter: 'bicubic', mean: CLIP_MEAN, std: CLIP_STD } as const;
  return checkPreprocessing({ ...how, toRgb: 'after' }, 'image size');
}

/** DeiT's in evaluation (`build_transform` of facebookresearch/deit): the short side at 256 / 224 of the crop. */
export function imageNetPreprocessing(size: number): Preprocessing {
  const how = { size, shape: 'shortest', filter: 'bicubic', mean: IMAGENET_MEAN, std: IMAGENET_STD } as const;
  return checkPreprocessing({ ...how, resize: Math.trunc((256 / 224) * size), toRgb: 'before' }, 'image size');
}

/** Whether pictures come out the same by both. */
export function samePreprocessing(a: Preprocessing, b: Preprocessing): boolean {
  return describePreprocessing(a) === describePreprocessing(b);
}

/** All of it in a line for people, by which it can be told from any other. */
export function describePreprocessing({ size, resize, shape, filter, mean, std, toRgb }: Preprocessing): string {
  const resized = shape === 'squash' ? `squashed to ${resize} x ${resize}` : `short side to ${resize}`;
  const crop = resize === size && shape === 'squash' ? '' : `, the middle ${size} x ${size}`;
  const order = toRgb === 'before' ? 'to RGB, ' : '';
  return `${order}${resized} (${filter})${crop}, mean ${mean.join(' ')}, std ${std.join(' ')}`;
}

/** Returns `how` if it can be done. Throws InputError, beginning with `what`, if it cannot. */
export function checkPreprocessing(how: Preprocessing, what: string): Preprocessing {
  const { size, resize, mean, std } = how;
  for (const pixels of [size, resize]) {
    if (Number.isInteger(pixels) && pixels >= 1 && pixels <= LARGEST_SIZE) continue;
    throw new InputError(`${what}: expected a whole number from 1 to ${LARGEST_SIZE}, found ${pixels}`);
  }
  if (resize < size) throw new InputError(`${what}: expected at least ${size} pixels to crop from, found ${resize}`);
  for (const [name, values] of Object.entries({ mean, std })) {
    if (values.length === 3 && values.every(Number.isFinite) && (name === 'mean' || values.every((v) => v > 0)))
      continue;
    throw new InputError(
      `${what}: ${name} should be three ${name === 'mean' ? '' : 'positive '}numbers, found [${values.join(', ')}]`,
    );
  }
  return how;
}
