/** Which of a model folder's small files counts, and what is taken from it. */
import { describe, expect, test } from 'vitest';
import {
  ARCHITECTURES,
  configToJson,
  describeModel,
  parsePreprocessing,
  parsePreprocessorConfig,
  preprocessorJson,
} from '../../src/clip/config.js';
import { clipPreprocessing, type Preprocessing } from '../../src/clip/image/index.js';
import { expectInputError } from './checkpoint/support.js';

const HALF = [0.5, 0.5, 0.5];
const B32 = ARCHITECTURES.get('ViT-B/32')!;
const CLIP_JSON = JSON.parse(configToJson(B32)) as object;
const OPEN_CLIP = {
  model_cfg: {
    embed_dim: 512,
    quick_gelu: true,
    vision_cfg: { image_size: 224, layers: 12, width: 768, patch_size: 32 },
    text_cfg: { context_length: 77, vocab_size: 49408, width: 512, heads: 8, layers: 12 },
  },
};
/** As timm writes it beside OpenCLIP's own: no model_type. */
const TIMM = {
  architecture: 'vit_base_patch32_clip_224',
  pretrained_cfg: { input_size: [3, 224, 224], crop_pct: 1, interpolation: 'bicubic', mean: HALF, std: HALF },
};
const describeFiles = (files: Record<string, object>) =>
  describeModel(
    new Map(Object.entries(files).map(([name, json]) => [name, JSON.stringify(json)])),
    (name) => `m/${name}`,
  )!;

describe('which configuration', () => {
  test("timm's config.json beside open_clip_config.json is not taken for a CLIP's", () => {
    const gelu = { model_cfg: { ...OPEN_CLIP.model_cfg, quick_gelu: false } };
    const { config, configFile } = describeFiles({ 'config.json': TIMM, 'open_clip_config.json': gelu });
    expect([config.activation, configFile]).toEqual(['gelu', 'open_clip_config.json']);
  });

  test.each<[string, object, RegExp]>([
    ["timm's", TIMM, /expected the configuration of a CLIP, found timm's.*"vit_base_patch32_clip_224"/],
    ['of nothing known', { hidden_size: 768 }, /found neither model_type nor the parts of one/],
    ['of another model', { model_type: 'siglip', vision_config: {} }, /model_type should be "clip", found "siglip"/],
  ])('one %s on its own is refused by name', async (_, json, pattern) => {
    await expectInputError(() => describeFiles({ 'config.json': json }), /^m\/config\.json: /, pattern);
  });

  test('two that disagree are refused, two that agree are one', async () => {
    const both = (activation: 'gelu' | 'quick_gelu') => ({
      'config.json': JSON.parse(configToJson({ ...B32, activation })),
      'open_clip_config.json': OPEN_CLIP,
    });
    expect(describeFiles(both('quick_gelu')).config).toEqual(B32);
    await expectInputError(
      () => describeFiles(both('gelu')),
      /m\/config\.json and open_clip_config\.json disagree about activation \(quick_gelu and gelu\)/,
    );
  });
});

describe('how pictures are prepared', () => {
  const half = (how: Partial<Preprocessing> = {}): Preprocessing => ({
    ...clipPreprocessing(224),
    mean: HALF,
    std: HALF,
    ...how,
  });

  test('as OpenAI has it where no file says', () => {
    const { preprocessing, preprocessingFile } = describeFiles({ 'config.json': CLIP_JSON });
    expect([preprocessing, preprocessingFile]).toEqual([clipPreprocessing(224), undefined]);
  });

  test.each<[string, Record<string, object>, Preprocessing, string]>([
    [
      'preprocessor_config.json',
      { 'preprocessor_config.json': { image_mean: HALF, image_std: HALF, resample: 2 } },
      half({ filter: 'bilinear' }),
      'preprocessor_config.json',
    ],
    [
      "OpenCLIP's squash",
      { 'open_clip_config.json': { ...OPEN_CLIP, preprocess_cfg: { mean: HALF, std: HALF, resize_mode: 'squash' } } },
      half({ shape: 'squash' }),
      'open_clip_config.json',
    ],
    ["timm's", { 'open_clip_config.json': OPEN_CLIP, 'config.json': TIMM }, half(), 'config.json'],
  ])('%s', (_, files, expected, file) => {
    const { preprocessing, preprocessingFile } = describeFiles({ 'config.json': CLIP_JSON, ...files });
    expect(preprocessing).toEqual(expected);
    expect(preprocessingFile).toBe(file);
  });

  test("OpenCLIP's goes before the others, which are named where they say otherwise", () => {
    const files = {
      'open_clip_config.json': { ...OPEN_CLIP, preprocess_cfg: { mean: HALF, std: HALF } },
      'config.json': TIMM,
      'preprocessor_config.json': { resample: 1 },
    };
    const { preprocessing, otherwise } = describeFiles(files);
    expect([preprocessing, otherwise]).toEqual([half(), ['preprocessor_config.json']]);
  });

  test.each<[string, object, Partial<Preprocessing>]>([
    ['a larger square to crop from', { size: 256, crop_size: 224 }, { resize: 256 }],
    ['squashed, and not cropped', { size: { height: 224, width: 224 }, do_center_crop: false }, { shape: 'squash' }],
    ['not normalised', { do_normalize: false }, { mean: [0, 0, 0], std: [1, 1, 1] }],
    ["the older processor's name", { feature_extractor_type: 'CLIPFeatureExtractor', size: 224 }, {}],
    [
      'steps without effect',
      { do_convert_rgb: true, do_resize: true, do_rescale: true, rescale_factor: 0.00392156862745098 },
      {},
    ],
  ])('transformers: %s', (_, json, expected) => {
    const how = parsePreprocessing(JSON.stringify(json), 'p.json', 224);
    expect(how).toEqual({ ...clipPreprocessing(224), ...expected });
    expect(parsePreprocessorConfig(preprocessorJson(how), 'p.json', 224)).toEqual(how);
  });

  test("every field of a processor that is not CLIP's must be given", async () => {
    const siglip = {
      image_processor_type: 'SiglipImageProcessor',
      ...{ size: { height: 224, width: 224 }, resample: 3, image_mean: HALF, image_std: HALF },
    };
    expect(parsePreprocessing(JSON.stringify(siglip), 'p.json', 224)).toEqual(half({ shape: 'squash' }));
    const { resample: _, ...rest } = siglip;
    await expectInputError(
      () => parsePreprocessing(JSON.stringify(rest), 'p.json', 224),
      /^p\.json: resample is missing, and "SiglipImageProcessor" does not have CLIP's defaults/,
    );
  });

  test("timm's share of a larger square, with ImageNet's figures where none are given", () => {
    const json = { pretrained_cfg: { crop_pct: 0.9, crop_mode: 'squash', interpolation: 'bilinear' } };
    expect(parsePreprocessing(JSON.stringify(json), 'c.json', 224)).toMatchObject({
      ...{ resize: 248, size: 224, shape: 'squash', filter: 'bilinear', mean: [0.485, 0.456, 0.406] },
    });
  });

  const openClip = (preprocess_cfg: object) => ({ preprocess_cfg });
  test.each<[string, object, RegExp]>([
    ['Lanczos', { resample: 1 }, /resample should be 2 \(bilinear\) or 3 \(bicubic\), found 1/],
    ['no resize', { do_resize: false }, /do_resize should be true, found false/],
    ['another factor', { rescale_factor: 1 / 127.5 }, /rescale_factor should be 1\/255/],
    ['padding', { do_pad: true }, /do_pad is not supported/],
    ['another crop', { crop_size: 336 }, /crop_size should be 224, which the image tower takes, found 336/],
    ['a crop that needs padding', { size: 200 }, /at least 224 pixels to crop from, found 200/],
    ['no crop', { do_center_crop: false }, /do_center_crop should be true if size is a shortest edge/],
    ['an oblong', { size: { height: 224, width: 336 } }, /size should be a height and an equal width/],
    ['the longest edge', { size: { longest_edge: 224 } }, /size should be a shortest_edge, or a height/],
    ['two means', { image_mean: [0.5, 0.5] }, /mean should be three numbers, found \[0\.5, 0\.5\]/],
    ['a deviation of zero', { image_std: [1, 0, 1] }, /std should be three positive numbers/],
    ['the longest side, padded', openClip({ resize_mode: 'longest' }), /resize_mode should be "shortest" or "squash"/],
    ['another size', openClip({ size: 336 }), /size should be 224, which the image tower takes, found 336/],
    ['another key', openClip({ blur: 1 }), /preprocess_cfg has "blur", which is not supported/],
    [
      'a border',
      { pretrained_cfg: { crop_mode: 'border' } },
      /crop_mode should be "center" or "squash", found "border"/,
    ],
  ])('%s is refused by its key', async (_, json, pattern) => {
    await expectInputError(() => parsePreprocessing(JSON.stringify(json), 'p.json', 224), /^p\.json: /, pattern);
  });
});
