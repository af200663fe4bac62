/**
 * Reads a model's image preprocessing from any of three formats: transformers' `preprocessor_config.json`, `preprocess_cfg` in
 * OpenCLIP's `open_clip_config.json`, and `pretrained_cfg` in timm's `config.json`. Settings that cannot be reproduced exactly are
 * refused, naming the key, since they would give different features.
 */
import { InputError } from '../../errors.js';
import { quoted } from '../checkpoint/quoted.js';
import {
  CLIP_MEAN,
  CLIP_STD,
  checkPreprocessing,
  clipPreprocessing,
  type Filter,
  IMAGENET_MEAN,
  IMAGENET_STD,
  type Preprocessing,
} from '../image/index.js';
import { JsonFields } from './json-fields.js';

/** Pillow's numeric codes of its filters. */
const RESAMPLE: ReadonlyMap<unknown, Filter> = new Map([
  [2, 'bilinear'],
  [3, 'bicubic'],
]);

/** Steps of transformers' image processors that are implemented, or have no effect here. */
const STEPS = new Set(['do_resize', 'do_center_crop', 'do_rescale', 'do_normalize', 'do_convert_rgb']);

/** Parses any of the three formats, detected by its keys. Throws InputError for settings that cannot be reproduced exactly. */
export function parsePreprocessing(text: string, fileName: string, size: number): Preprocessing {
  const fields = JsonFields.parse(text, fileName);
  const openClip = fields.object('preprocess_cfg');
  if (openClip) return openClipPreprocessing(openClip, fileName, size);
  const timm = fields.object('pretrained_cfg');
  if (timm) return timmPreprocessing(timm, fileName, size, 'after');
  return parsePreprocessorConfig(text, fileName, size);
}

/**
 * Parses a `preprocessor_config.json`. For CLIP's processor, missing keys take its defaults (CLIPImageProcessor in transformers'
 * image_processing_clip.py); for any other processor, they are an error. `size` is the side of the image tower's input.
 */
export function parsePreprocessorConfig(text: string, fileName: string, size: number): Preprocessing {
  const fields = JsonFields.parse(text, fileName);
  const type = fields.text('image_processor_type', fields.text('feature_extractor_type', 'CLIPImageProcessor'));
  const isClip = type.startsWith('CLIP');
  const given = <T>(key: string, value: T | undefined, usual: T): T => {
    if (value !== undefined || isClip) return value ?? usual;
    throw new InputError(`${fileName}: ${key} is missing, and ${quoted(type)} does not have CLIP's defaults`);
  };
  const does = (key: string, usual: boolean) => fields.boolean(key, usual);
  const step = fields.keys().find((key) => /^do_/.test(key) && !STEPS.has(key) && fields.value(key) === true);
  if (step !== undefined) throw new InputError(`${fileName}: ${step} is not supported`);
  for (const key of ['do_resize', 'do_rescale']) if (!does(key, true)) throw fields.wrong(key, 'true');
  const factor = fields.number('rescale_factor', 1 / 255);
  if (Math.abs(factor * 255 - 1) > 1e-6) throw fields.wrong('rescale_factor', '1/255');
  const filter = RESAMPLE.get(given('resample', fields.value('resample'), 3));
  if (!filter) throw fields.wrong('resample', '2 (bilinear) or 3 (bicubic)');

  // transformers' processors of BEiT, ViT and DeiT took a number as both sides.
  const number = isClip ? 'shortest' : /^(?:Beit|ViT|DeiT)/.test(type) ? 'squash' : undefined;
  const { shape, resize } = sizeOf(fields, size, number);
  const crops = does('do_center_crop', isClip);
  const crop = crops ? squareSide(fields, 'crop_size', given('crop_size', fields.value('crop_size'), size)) : resize;
  if (crop !== size) throw fields.wrong(crops ? 'crop_size' : 'size', `${size}, which the image tower takes`, crop);
  if (!crops && shape === 'shortest') throw fields.wrong('do_center_crop', 'true if size is a shortest edge');
  const normalizes = does('do_normalize', true);
  const mean = normalizes ? given('image_mean', fields.numbers('image_mean'), [...CLIP_MEAN]) : [0, 0, 0];
  const std = normalizes ? given('image_std', fields.numbers('image_std'), [...CLIP_STD]) : [1, 1, 1];
  return checkPreprocessing({ size, resize, shape, filter, mean, std, toRgb: 'after' }, fileName);
}

/** `{shortest_edge}` gives the short side, `{height, width}` both; a number what `number` says, and only CLIP's processor has a default. */
function sizeOf(
  fields: JsonFields,
  size: number,
  number: Preprocessing['shape'] | undefined,
): Pick<Preprocessing, 'shape' | 'resize'> {
  const value = fields.value('size') ?? (number === 'shortest' ? size : undefined);
  if (typeof value === 'number' && number !== undefined) return { shape: number, resize: value };
  if (typeof value === 'object') {
    const given = fields.object('size')!;
    const shortest = given.value('shortest_edge');
    if (typeof shortest === 'number' && given.value('longest_edge') === undefined)
      return { shape: 'shortest', resize: shortest };
    if (given.value('height') !== undefined)
      return { shape: 'squash', resize: squareSide(fields, 'size', fields.value('size')) };
  }
  throw fields.wrong('size', 'a shortest_edge, or a height and an equal width');
}

function squareSide(fields: JsonFields, key: string, value: unknown): number {
  if (typeof value === 'number') return value;
  const { height, width } = (typeof value === 'object' ? (value ?? {}) : {}) as { height?: unknown; width?: unknown };
  if (typeof height === 'number' && height === width) return height;
  throw fields.wrong(key, 'a height and an equal width', value);
}

const OPEN_CLIP_KEYS = ['size', 'mode', 'mean', 'std', 'interpolation', 'resize_mode', 'fill_color'];

/**
 * Parses `preprocess_cfg`; defaults are open_clip's (PreprocessCfg in its transform.py). `random` interpolation applies to training only;
 * in evaluation it is bicubic.
 */
export function openClipPreprocessing(fields: JsonFields, fileName: string, size: number): Preprocessing {
  refuseOthers(fields, OPEN_CLIP_KEYS, fileName);
  if (fields.text('mode', 'RGB') !== 'RGB') throw fields.wrong('mode', '"RGB"');
  const sides = [fields.value('size') ?? size].flat();
  if (sides.some((side) => side !== size)) throw fields.wrong('size', `${size}, which the image tower takes`);
  const shape = choice(fields, 'resize_mode', { shortest: 'shortest', squash: 'squash' } as const, 'shortest');
  const filters = { bicubic: 'bicubic', bilinear: 'bilinear', random: 'bicubic' } as const;
  const filter = choice(fields, 'interpolation', filters, 'bicubic');
  const mean = fields.numbers('mean') ?? CLIP_MEAN;
  const std = fields.numbers('std') ?? CLIP_STD;
  return checkPreprocessing({ ...clipPreprocessing(size), shape, filter, mean, std }, fileName);
}

/**
 * Parses `pretrained_cfg`; defaults are timm's (resolve_data_config in data/config.py, transforms_imagenet_eval in
 * data/transforms_factory.py). The image is resized so that the crop is `crop_pct` of it.
 */
export function timmPreprocessing(
  fields: JsonFields,
  fileName: string,
  size: number,
  toRgb: Preprocessing['toRgb'],
): Preprocessing {
  const [, height = size, width = size] = fields.numbers('input_size') ?? [];
  if (height !== size || width !== size)
    throw fields.wrong('input_size', `[3, ${size}, ${size}], which the image tower takes`);
  const shape = choice(fields, 'crop_mode', { center: 'shortest', squash: 'squash' } as const, 'center');
  const filter = choice(fields, 'interpolation', { bicubic: 'bicubic', bilinear: 'bilinear' } as const, 'bicubic');
  const resize = Math.floor(size / fields.number('crop_pct', 0.875));
  const mean = fields.numbers('mean') ?? IMAGENET_MEAN;
  const std = fields.numbers('std') ?? IMAGENET_STD;
  return checkPreprocessing({ size, resize, shape, filter, mean, std, toRgb }, fileName);
}

/** A `preprocessor_config.json` for transformers' CLIPImageProcessor, which `parsePreprocessorConfig` can read. */
export function preprocessorJson({ size, resize, shape, filter, mean, std }: Preprocessing): string {
  const square = (side: number) => ({ height: side, width: side });
  const json = {
    image_processor_type: 'CLIPImageProcessor',
    do_resize: true,
    size: shape === 'squash' ? square(resize) : { shortest_edge: resize },
    resample: [...RESAMPLE].find(([, name]) => name === filter)?.[0],
    do_center_crop: true,
    crop_size: square(size),
    do_convert_rgb: true,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: mean,
    image_std: std,
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}

function choice<T extends string>(
  fields: JsonFields,
  key: string,
  known: Readonly<Record<string, T>>,
  usual: string,
): T {
  const value = fields.text(key, usual);
  const found = Object.hasOwn(known, value) ? known[value] : undefined;
  if (found !== undefined) return found;
  throw fields.wrong(
    key,
    Object.keys(known)
      .map((name) => `"${name}"`)
      .join(' or '),
  );
}

function refuseOthers(fields: JsonFields, known: readonly string[], fileName: string): void {
  const other = fields.keys().find((key) => !known.includes(key));
  if (other !== undefined)
    throw new InputError(`${fileName}: preprocess_cfg has ${quoted(other)}, which is not supported`);
}
