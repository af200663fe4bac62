/** Vision transformers in timm's naming against PyTorch, and what is refused. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { bytesSource, type Checkpoint, openCheckpoint } from '../../../src/clip/checkpoint/index.js';
import { readVit } from '../../../src/clip/config.js';
import { VisionTower } from '../../../src/clip/towers/index.js';
import { InputError } from '../../../src/errors.js';
import { Engine } from '../../../src/tensor/index.js';
import { describeOnAll } from '../../support/devices.js';
import { fixture, maxError, tensorsOf } from '../../support/tiny-clip.js';

const open = async (name: string) => openCheckpoint([bytesSource(name, await readFile(fixture(`vit-tiny/${name}`)))]);

describeOnAll('vision transformers', (device) => {
  it.each([
    ['vit.pth', 'vit', 1],
    ['distilled.safetensors', 'distilled', 2],
  ] as const)("%s gives PyTorch's features", async (file, expected, classTokens) => {
    const golden = await tensorsOf('vit-tiny/expected.safetensors');
    const { vit, config } = readVit(await open(file));
    const sizes = { width: 128, layers: 2, heads: 2, intermediate: 192, imageSize: 32, patchSize: 8 };
    expect(config).toEqual({ ...sizes, activation: 'gelu', layerNormEpsilon: 1e-6, kind: 'vit', classTokens });
    const engine = new Engine(device());
    using tower = await VisionTower.loadVision(engine, vit, config);
    const pixels = await golden('pixel_values');
    using pooled = engine.scope(() => tower.pool(engine.tensor(pixels.data, pixels.shape)));
    expect(pooled.shape).toEqual([5, 128]);
    const { data } = await golden(expected);
    expect(maxError(await pooled.read(), data) / Math.max(...data.map(Math.abs))).toBeLessThan(1e-5);
    expect(() => tower.encode(pooled)).toThrow(/no joint space/);
  });
});

describe('refused', () => {
  /** The plain fixture with one tensor under another name, or gone. */
  async function changed(from: string, to?: string): Promise<Checkpoint> {
    const stored = await open('vit.pth');
    const back = (name: string) => (name === to ? from : name);
    return {
      ...stored,
      names: () => stored.names().flatMap((name) => (name === from ? (to === undefined ? [] : [to]) : [name])),
      shape: (name) => stored.shape(back(name)),
      dtype: (name) => stored.dtype(back(name)),
    };
  }

  it('a part that is missing, a part that a plain transformer has not, and positions of no square', async () => {
    const failures: [Checkpoint, RegExp][] = [
      [await changed('norm.weight'), /^vit\.pth: tensor "vision_model\.post_layernorm\.weight" \[128\] is missing/],
      [
        await changed('head.bias', 'blocks.0.ls1.gamma'),
        /tensor "blocks\.0\.ls1\.gamma" is not part of a plain vision/,
      ],
      [await changed('head.bias', 'fc_norm.bias'), /tensor "fc_norm\.bias" is not part of a plain vision/],
      [await changed('pos_embed'), /not a vision transformer with timm's names, or incomplete/],
    ];
    for (const [checkpoint, message] of failures) {
      expect(() => readVit(checkpoint)).toThrow(InputError);
      expect(() => readVit(checkpoint)).toThrow(message);
    }
    const stored = await open('vit.pth');
    const shape = (name: string) => (name === 'pos_embed' ? [1, 18, 128] : stored.shape(name));
    expect(() => readVit({ ...stored, shape })).toThrow(
      /18 positions are not a square grid of patches and a class token/,
    );
  });
});
