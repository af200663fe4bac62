/** The settings of a model's image preprocessing, which `src/clip/config` reads from the model's files. */
import { InputError } from '../../errors.js';
import { CLIP_MEAN, CLIP_STD, IMAGENET_MEAN, IMAGENET_STD, type PixelStatistics } from './normalize.js';
import type { Filter } from './resample.js';

/** A model's image preprocessing. Plain data, since it is stored as JSON and sent to other threads. */
export interface Preprocessing extends PixelStatistics {
  /** Side in pixels of the model's square input, a centre crop. */
  readonly size: number;
  /** Size in pixels of the resized side or sides, before the crop; at least `size`. */
  readonly resize: number;
  /** `shortest`: the short side becomes `resize`, keeping the aspect ratio; `squash`: both sides do. */
  readonly shape: 'shortest' | 'squash';
  readonly filter: Filter;
  /** When the image is converted to RGB: `after` the crop as in CLIP and OpenCLIP, or `before` the resize as in timm. */
  readonly toRgb: 'after' | 'before';
}

/** CLIP models take 224 to 448 pixels. */
const LARGEST_SIZE = 4096;

/** OpenAI's preprocessing for an input of `size` pixels, the default for models whose files do not specify one. */
export function clipPreprocessing(size: number): Preprocessing {
  const how = { size, resize: size, shape: 'shortest', filter: 'bicubic', mean: CLIP_MEAN, std: CLIP_STD } as const;
  return checkPreprocessing({ ...how, toRgb: 'after' }, 'image size');
}

/** The short side that timm resizes to for its vision transformers: the crop is 0.9 of it up to 224 pixels, and all of it above. */
export function timmResize(size: number): number {
  return size > 224 ? size : Math.floor(size / 0.9);
}

/** How networks trained on ImageNet want their pictures: by default as timm gives them to DeiT, otherwise with this short side and filter. */
export function imageNetPreprocessing(
  size: number,
  { resize = timmResize(size), filter = 'bicubic' }: Partial<Pick<Preprocessing, 'resize' | 'filter'>> = {},
): Preprocessing {
  const how = { size, resize, shape: 'shortest', filter, mean: IMAGENET_MEAN, std: IMAGENET_STD } as const;
  return checkPreprocessing({ ...how, toRgb: 'before' }, 'image size');
}

/** Whether two settings give the same pixels. */
export function samePreprocessing(a: Preprocessing, b: Preprocessing): boolean {
  return describePreprocessing(a) === describePreprocessing(b);
}

/** One line for display, different for different settings. */
export function describePreprocessing({ size, resize, shape, filter, mean, std, toRgb }: Preprocessing): string {
  const resized = shape === 'squash' ? `squashed to ${resize} x ${resize}` : `short side to ${resize}`;
  const crop = resize === size && shape === 'squash' ? '' : `, the middle ${size} x ${size}`;
  const order = toRgb === 'before' ? 'to RGB, ' : '';
  return `${order}${resized} (${filter})${crop}, mean ${mean.join(' ')}, std ${std.join(' ')}`;
}

/** Returns `how` if it is valid, else throws InputError prefixed with `what`. */
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
