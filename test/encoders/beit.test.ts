/** BEiT in both namings and both layouts against PyTorch, its positions by hand, and what is refused. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { bytesSource, type Checkpoint, openCheckpoint } from '../../src/clip/checkpoint/index.js';
import { describePreprocessing } from '../../src/clip/image/index.js';
import { gridOfTable, spreadTable } from '../../src/encoders/beit-positions.js';
import { BEIT, readEncoder } from '../../src/encoders/index.js';
import { InputError } from '../../src/errors.js';
import { Engine } from '../../src/tensor/index.js';
import { describeOnAll } from '../support/devices.js';
import { measuredPerImage } from '../support/encoder-memory.js';
import { fixture, tensorsOf } from '../support/tiny-clip.js';

const open = async (name: string) => openCheckpoint([bytesSource(name, await readFile(fixture(`beit-tiny/${name}`)))]);

const tuned = { width: 64, layers: 2, heads: 1, intermediate: 96, imageSize: 24, patchSize: 8, norm: 'mean' };
const pretrained = { width: 32, layers: 3, heads: 2, intermediate: 72, imageSize: 20, patchSize: 4, norm: 'patches' };
const timm = { kind: 'beit', names: 'timm', layerNormEpsilon: 1e-6 };
const huggingFace = { kind: 'beit', names: 'huggingface', layerNormEpsilon: 1e-12 };

describeOnAll('BEiT', (device) => {
  it.each([
    ['tuned.pth', 'tuned', { ...tuned, ...timm }],
    ['tuned_hf.safetensors', 'tuned', { ...tuned, ...huggingFace }],
    ['pretrained.safetensors', 'pretrained', { ...pretrained, ...timm }],
    ['pretrained_hf.safetensors', 'pretrained', { ...pretrained, ...huggingFace }],
  ] as const)("%s gives PyTorch's features", async (file, model, config) => {
    const golden = await tensorsOf('beit-tiny/expected.safetensors');
    const encoder = readEncoder(await open(file))!;
    expect(encoder.config).toEqual(config);
    const engine = new Engine(device());
    using tower = await encoder.load(engine);
    const pixels = await golden(`${model}.pixel_values`);
    using all = engine.scope(() => tower.pool(engine.tensor(pixels.data, pixels.shape)));
    expect(all.shape).toEqual([3, config.width]);
    const found = await all.read();
    const expected = await golden(file.replace(/\..*/, ''));
    for (let image = 0; image < 3; image++) {
      const [from, to] = [image * config.width, (image + 1) * config.width];
      expect(offBy(found.subarray(from, to), expected.data.subarray(from, to)), `image ${image}`).toBeLessThan(1e-5);
    }
    // The last image alone has the same bits.
    const one = pixels.data.subarray((2 * pixels.data.length) / 3);
    using alone = engine.scope(() => tower.pool(engine.tensor(one, [1, ...pixels.shape.slice(1)])));
    expect(await alone.read()).toEqual(found.subarray(2 * config.width));
  });
});

/** The distance of two features, relative to the norm of the second. */
function offBy(found: ArrayLike<number>, expected: Float32Array): number {
  return Math.hypot(...expected.map((value, i) => value - found[i]!)) / Math.hypot(...expected);
}

describe('positions', () => {
  it('of a grid of two patches a side, by hand', () => {
    // Entry i of the table is i, in the second head -i. Query patches by rows; dy and dx from -1 to 1.
    const table = Float32Array.from({ length: 24 }, (_, i) => (i % 2 === 0 ? i / 2 : -(i - 1) / 2));
    const first = [
      [11, 9, 9, 9, 9],
      [10, 4, 3, 1, 0],
      [10, 5, 4, 2, 1],
      [10, 7, 6, 4, 3],
      [10, 8, 7, 5, 4],
    ].flat();
    expect(Array.from(spreadTable(table, 2))).toEqual([...first, ...first.map((value) => (value === 0 ? -0 : -value))]);
  });

  it("BEiT-B's table of 732 is of 14 patches a side; lengths of no grid are refused", () => {
    expect([732, 2212, 4].map(gridOfTable)).toEqual([14, 24, 1]);
    for (const length of [0, 3, 5, 7, 729, 731, 733]) expect(gridOfTable(length), `${length}`).toBeUndefined();
  });
});

it('what a batch takes is within bytesPerImage and most of it', async () => {
  const encoder = readEncoder(await open('tuned.pth'))!;
  const perImage = await measuredPerImage(encoder, 20);
  expect(perImage).toBeLessThanOrEqual(encoder.memory.perImage);
  expect(perImage).toBeGreaterThan(0.6 * encoder.memory.perImage);
});

describe('preprocessing', () => {
  it.each([
    ['timm', 224, /^to RGB, short side to 248 \(bicubic\), the middle 224 x 224, mean 0.5 0.5 0.5, std 0.5 0.5 0.5$/],
    ['timm', 384, /^to RGB, short side to 384 \(bicubic\), the middle 384 x 384, mean 0.5/],
    ['huggingface', 224, /^to RGB, squashed to 224 x 224 \(bilinear\), mean 0.5/],
  ] as const)('of %s at %i pixels', async (names, imageSize, text) => {
    const { config } = BEIT.read(await open('tuned.pth'));
    expect(describePreprocessing(BEIT.preprocessing({ ...config, names, imageSize }))).toMatch(text);
  });
});

describe('refused', () => {
  /** A fixture with tensors under other names, or of other shapes. */
  async function changed(file: string, names: Record<string, string>, shapes: Record<string, number[]> = {}) {
    const stored = await open(file);
    const back = new Map(Object.entries(names).map(([from, to]) => [to, from]));
    const of = (name: string) => back.get(name) ?? name;
    return {
      ...stored,
      names: () => stored.names().map((name) => names[name] ?? name),
      shape: (name: string) => shapes[name] ?? stored.shape(of(name)),
      dtype: (name: string) => stored.dtype(of(name)),
    } satisfies Checkpoint;
  }
  const table = 'blocks.0.attn.relative_position_bias_table';

  it.each([
    [
      'a missing part',
      { 'blocks.1.mlp.fc2.bias': 'blocks.1.spare' },
      {},
      /^tuned\.pth: tensor "vision_model\.encoder\.layers\.1\.mlp\.fc2\.bias" \[64\] is missing$/,
    ],
    [
      'a layer without its table',
      { 'blocks.1.attn.relative_position_bias_table': 'head.bias' },
      {},
      /layers\.1\.self_attn\.relative_position_bias_table" \[28, 1\] is missing/,
    ],
    [
      'a bias of the keys',
      { 'head.bias': 'blocks.0.attn.k_bias' },
      {},
      /tensor "blocks\.0\.attn\.k_bias" is not part of a BEiT, so this program cannot run it$/,
    ],
    ['position embeddings', { 'head.bias': 'pos_embed' }, {}, /tensor "pos_embed" is not part of a BEiT/],
    ['both norms', { 'head.weight': 'norm.weight' }, {}, /tensor "norm\.weight" is not part of a BEiT/],
    ['no norm', { 'fc_norm.weight': 'mask_token' }, {}, /"vision_model\.post_layernorm\.weight" \[64\] is missing/],
    ['one layer scale', { 'blocks.1.gamma_2': 'mask_token' }, {}, /layers\.1\.layer_scale2" \[64\] is missing/],
    [
      'a table of no grid',
      {},
      { [table]: [29, 1] },
      /tensor "blocks\.0\.attn\.relative_position_bias_table" should have \(2g - 1\)\^2 \+ 3 rows for a grid of g patches a side, found 29$/,
    ],
    [
      'heads that do not divide the width',
      {},
      { [table]: [28, 3] },
      /the width 64 should be 3 heads of a whole number of columns, at most 128 each/,
    ],
    [
      'a table of another grid',
      {},
      { 'blocks.1.attn.relative_position_bias_table': [52, 1] },
      /should have shape \[28, 1\], found \[52, 1\]/,
    ],
  ] as const)('%s', async (_, names, shapes, message) => {
    const checkpoint = await changed('tuned.pth', names, shapes as Record<string, number[]>);
    expect(() => readEncoder(checkpoint)).toThrow(InputError);
    expect(() => readEncoder(checkpoint)).toThrow(message);
  });

  it('a model fine-tuned on its class token, whose feature is another', async () => {
    const stored = await open('pretrained.safetensors');
    const names = () => stored.names().filter((name) => name !== 'mask_token');
    expect(() => readEncoder({ ...stored, names })).toThrow(
      /^pretrained\.safetensors: a BEiT with "norm" and without "mask_token" was fine-tuned on its class token; expected/,
    );
  });

  it('tables of a Swin transformer are not recognised as a BEiT', () => {
    const swin = ['patch_embed.proj.weight', 'layers.0.blocks.0.attn.relative_position_bias_table', 'norm.weight'];
    expect(BEIT.recognises(swin)).toBe(false);
  });
});
