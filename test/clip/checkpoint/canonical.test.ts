import { describe, expect, test } from 'vitest';
import { bytesSource } from '../../../src/clip/checkpoint/byte-source.js';
import { canonicalClip } from '../../../src/clip/checkpoint/canonical-clip.js';
import { type Checkpoint, readFloat32 } from '../../../src/clip/checkpoint/checkpoint.js';
import { openCheckpoint } from '../../../src/clip/checkpoint/open-checkpoint.js';
import { clipTensors, parseConfigJson, unusedTensors, validateShapes } from '../../../src/clip/config.js';
import { counting, expectInputError, fixtureBytes, openFixture, safetensorsOf } from './support.js';

const CONFIG = parseConfigJson(new TextDecoder().decode(fixtureBytes('clip-tiny/config.json')), 'config.json');

/** The same checkpoint with other names. Names that `rename` turns into undefined are left out. */
function renamed(checkpoint: Checkpoint, rename: (name: string) => string | undefined): Checkpoint {
  const table = new Map(checkpoint.names().flatMap((name) => [[rename(name), name] as const]));
  const old = (name: string) => table.get(name)!;
  return {
    ...checkpoint,
    names: () => [...table.keys()].filter((name) => name !== undefined),
    has: (name) => table.has(name),
    shape: (name) => checkpoint.shape(old(name)),
    dtype: (name) => checkpoint.dtype(old(name)),
    read: (name, rows) => checkpoint.read(old(name), rows),
  };
}

async function expectSameAsHuggingFace(checkpoint: Checkpoint): Promise<void> {
  const reference = await openFixture('clip-tiny/model.safetensors');
  const clip = validateShapes(checkpoint, CONFIG);
  for (const { name } of clipTensors(CONFIG)) {
    const [found, wanted] = [await clip.read(name), await readFloat32(reference, name)];
    expect(found.length, name).toBe(wanted.length);
    // Equal as values, so that the message for a difference is a name and not a megabyte.
    expect(
      found.every((value, i) => value === wanted[i]),
      name,
    ).toBe(true);
  }
}

describe('every format of the tiny CLIP is the same model', () => {
  test.each([
    'model.safetensors',
    'open_clip_model.safetensors',
    'openai_torchscript.pt',
    'pytorch_model.bin',
    'state_dict_f16.pt',
  ])('%s', async (file) => expectSameAsHuggingFace(await openFixture(`clip-tiny/${file}`)));

  test.each<[string, (name: string) => string | undefined]>([
    ['DistributedDataParallel', (name) => `module.${name}`],
    ['torch.compile inside DistributedDataParallel', (name) => `module._orig_mod.${name}`],
    ['a Lightning module', (name) => `model.${name}`],
    [
      'OpenCLIP with a text tower of its own',
      (name) => (/^(visual\.|logit_scale$)/.test(name) ? name : `text.${name}`),
    ],
    [
      'OpenCLIP with a text tower of its own, in DistributedDataParallel',
      (name) => `module.${/^(visual\.|logit_scale$)/.test(name) ? '' : 'text.'}${name}`,
    ],
  ])('OpenCLIP names in %s', async (_, rename) => {
    await expectSameAsHuggingFace(renamed(await openFixture('clip-tiny/open_clip_model.safetensors'), rename));
  });

  const PREFIXES = ['module.', 'clip_model.', 'clip.', 'net.', 'model.', 'base_model.model.', 'model.clip._orig_mod.'];
  test.each(PREFIXES)('either naming under %s, with a head beside it', async (prefix) => {
    for (const file of ['model.safetensors', 'open_clip_model.safetensors']) {
      const checkpoint = await openFixture(`clip-tiny/${file}`);
      const beside: Checkpoint = {
        ...renamed(checkpoint, (name) => `${prefix}${name}`),
        names: () => [...checkpoint.names().map((name) => `${prefix}${name}`), 'head.visual.weight'],
        shape: (name) => (name === 'head.visual.weight' ? [1] : checkpoint.shape(name.slice(prefix.length))),
      };
      await expectSameAsHuggingFace(beside);
      expect(unusedTensors(validateShapes(beside, CONFIG), CONFIG)).toEqual(['head.visual.weight']);
    }
  });

  test('two of them in one file are refused, each named by what its names begin with', async () => {
    const checkpoint = await openFixture('clip-tiny/open_clip_model.safetensors');
    const both: Checkpoint = {
      ...checkpoint,
      names: () => checkpoint.names().flatMap((name) => [name, `ema.${name}`]),
      shape: (name) => checkpoint.shape(name.replace('ema.', '')),
    };
    await expectInputError(
      () => validateShapes(both, CONFIG),
      /contains two models, one under "" and one under "ema\."; keep one/,
    );
  });
});

describe('the canonical view', () => {
  test('leaves out buffers, keeps what it does not know, and remembers where tensors come from', async () => {
    const bytes = await safetensorsOf({
      'text_model.embeddings.position_ids': { shape: [1], values: [0] },
      attn_mask: { shape: [1], values: [0] },
      'text.attn_mask': { shape: [1], values: [0] },
      context_length: { shape: [], values: [77] },
      'head.weight': { shape: [1], values: [0] },
      'module.visual.transformer.resblocks.11.attn.in_proj_bias': { shape: [6], values: [1, 2, 3, 4, 5, 6] },
      logit_scale: { shape: [1], values: [4] },
    });
    const clip = canonicalClip(await openCheckpoint(bytesSource('x', bytes)));
    const prefix = 'vision_model.encoder.layers.11.self_attn';
    expect(new Set(clip.names())).toEqual(
      new Set([
        'head.weight',
        'logit_scale',
        `${prefix}.q_proj.bias`,
        `${prefix}.k_proj.bias`,
        `${prefix}.v_proj.bias`,
      ]),
    );
    expect(clip.storedName(`${prefix}.k_proj.bias`)).toBe('module.visual.transformer.resblocks.11.attn.in_proj_bias');
    expect(await clip.read(`${prefix}.k_proj.bias`)).toEqual(new Float32Array([3, 4]));
    expect(clip.shape('logit_scale')).toEqual([]);
    expect(await clip.read('logit_scale')).toEqual(new Float32Array([4]));
  });

  test('rows of split and transposed tensors', async () => {
    const bytes = await safetensorsOf({
      'visual.transformer.resblocks.0.attn.in_proj_weight': {
        shape: [6, 2],
        values: Array.from({ length: 12 }, (_, i) => i),
      },
      'visual.proj': { shape: [2, 3], values: [1, 2, 3, 4, 5, 6] },
    });
    const clip = canonicalClip(await openCheckpoint(bytesSource('x', bytes)));
    const value = 'vision_model.encoder.layers.0.self_attn.v_proj.weight';
    expect(clip.shape(value)).toEqual([2, 2]);
    expect(await clip.read(value, { first: 1, count: 1 })).toEqual(new Float32Array([10, 11]));
    await expectInputError(clip.read(value, { first: 1, count: 2 }), /in_proj_weight/);
    expect(clip.shape('visual_projection.weight')).toEqual([3, 2]);
    expect(await clip.read('visual_projection.weight')).toEqual(new Float32Array([1, 4, 2, 5, 3, 6]));
    expect(await clip.read('visual_projection.weight', { first: 1, count: 2 })).toEqual(new Float32Array([2, 5, 3, 6]));
  });

  test('a third of a stacked projection is read alone', async () => {
    const source = counting(bytesSource('x', fixtureBytes('clip-tiny/open_clip_model.safetensors')));
    const clip = canonicalClip(await openCheckpoint(source));
    source.total = 0;
    await clip.read('vision_model.encoder.layers.0.self_attn.k_proj.weight');
    expect(source.total).toBe(128 * 128 * 4);
  });

  test.each([
    [
      'two tensors with one meaning',
      { logit_scale: [], 'module.logit_scale': [] },
      /"logit_scale" and "module\.logit_scale" are both/,
    ],
    [
      'a stack that does not split',
      { 'visual.transformer.resblocks.0.attn.in_proj_bias': [4] },
      /stack query, key and value.*\[4\]/,
    ],
    ['a projection that is no matrix', { text_projection: [4] }, /"text_projection" should be a matrix.*\[4\]/],
    ['a scale that is no number', { logit_scale: [2] }, /"logit_scale" should be one number.*\[2\]/],
  ])('%s is refused', async (_, shapes, pattern) => {
    const tensors = Object.entries(shapes as Record<string, number[]>).map(
      ([name, shape]) => [name, { shape, values: new Float32Array(shape.reduce((a, b) => a * b, 1)) }] as const,
    );
    const checkpoint = await openCheckpoint(bytesSource('x', await safetensorsOf(Object.fromEntries(tensors))));
    await expectInputError(() => canonicalClip(checkpoint), /^x: /, pattern);
  });
});
