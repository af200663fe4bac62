/** What a model is said to take is what it takes; and what fails to load takes nothing. */
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { bytesSource, type CanonicalClip, openCheckpoint } from '../../../src/clip/checkpoint/index.js';
import { type ClipConfig, parseConfigJson, validateShapes } from '../../../src/clip/config.js';
import { modelFootprint, TextTower, VisionTower } from '../../../src/clip/towers/index.js';
import { Engine } from '../../../src/tensor/index.js';
import { describeOnAll } from '../../support/devices.js';
import { randomClip, SMALL_CLIP } from '../../support/random-clip.js';
import { tinyClip } from '../../support/tiny-clip.js';

const DEMO = new URL('../../../assets/demo-model', import.meta.url).pathname;

describeOnAll('footprint', (device) => {
  const taken = async ({ clip, config }: { clip: CanonicalClip; config: ClipConfig }): Promise<number> => {
    const engine = new Engine(device());
    const before = device().memory.bytes;
    using _vision = await VisionTower.load(engine, clip, config);
    using _text = await TextTower.load(engine, clip, config);
    return device().memory.bytes - before;
  };

  it('is what both towers take, of single precision and of halves', async () => {
    const floats = { clip: randomClip(SMALL_CLIP), config: SMALL_CLIP };
    const config = parseConfigJson(await readFile(`${DEMO}/config.json`, 'utf8'), 'config.json');
    const weights = bytesSource('model.safetensors', await readFile(`${DEMO}/model.safetensors`));
    const halves = { clip: validateShapes(await openCheckpoint(weights), config), config };
    expect(halves.clip.dtype('visual_projection.weight')).toBe('F16');
    for (const model of [floats, halves]) {
      const { bytes, largest } = modelFootprint(model.clip, model.config, device().packsHalves);
      expect(await taken(model)).toBe(bytes);
      expect(largest.bytes).toBeLessThan(bytes);
      expect(largest.name).toMatch(/\.weight$/);
    }
  });

  it('is the most that weights take which are stored wider than they need', async () => {
    const { clip, config } = await tinyClip('clip-tiny');
    const { bytes } = modelFootprint(clip, config, device().packsHalves);
    expect(await taken({ clip, config })).toBeLessThan(bytes);
  });

  it('is nothing where loading fails on the way', async () => {
    const { clip, config } = await tinyClip('clip-tiny');
    let reads = 0;
    const failing = {
      ...clip,
      read: (...args: Parameters<typeof clip.read>) => {
        if (++reads > 9) throw new Error('the file is gone');
        return clip.read(...args);
      },
    };
    const engine = new Engine(device());
    await expect(VisionTower.load(engine, failing, config)).rejects.toThrow('the file is gone');
    reads = 0;
    await expect(TextTower.load(engine, failing, config)).rejects.toThrow('the file is gone');
    expect(reads).toBeGreaterThan(9);
  });
});
