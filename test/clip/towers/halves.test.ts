/** A checkpoint in half precision computes what the same numbers in single precision do, in half the memory where it can. */
import { expect, it } from 'vitest';
import {
  bytesSource,
  type CanonicalClip,
  canonicalClip,
  openCheckpoint,
  writeClipSafetensors,
} from '../../../src/clip/checkpoint/index.js';
import { VisionTower } from '../../../src/clip/towers/index.js';
import { Engine } from '../../../src/tensor/index.js';
import { describeOnAll } from '../../support/devices.js';
import { randomReals } from '../../support/random.js';
import { randomClip, SMALL_CLIP } from '../../support/random-clip.js';
import { maxError } from '../../support/tiny-clip.js';

const config = SMALL_CLIP;
const clip = randomClip();

async function stored(from: CanonicalClip, dtype: 'f16' | 'f32'): Promise<CanonicalClip> {
  const chunks: Uint8Array[] = [];
  await writeClipSafetensors(from, config, { dtype }, (chunk) => void chunks.push(chunk.slice()));
  return canonicalClip(await openCheckpoint([bytesSource(`${dtype}.safetensors`, Buffer.concat(chunks))]));
}

const inHalves = await stored(clip, 'f16');
/** The rounded numbers, but in single precision. */
const asFloats = await stored(inHalves, 'f32');

it('a checkpoint gives the bit patterns of what it stores in half precision, and of nothing else', async () => {
  const name = 'visual_projection.weight';
  const bits = await inHalves.readHalves(name);
  expect(bits).toBeInstanceOf(Uint16Array);
  expect(bits!.length).toBe((await inHalves.read(name)).length);
  expect(await asFloats.readHalves(name)).toBeUndefined();
  expect(await inHalves.readHalves('logit_scale')).toBeUndefined();
});

describeOnAll('weights in half precision', (device) => {
  it('give the same features', async () => {
    const { imageSize } = config.vision;
    const shape = [2, 3, imageSize, imageSize];
    const pixels = randomReals(3)(2 * 3 * imageSize ** 2);
    const results: Float32Array[] = [];
    const bytes: number[] = [];
    for (const from of [inHalves, asFloats, clip]) {
      const engine = new Engine(device());
      const before = device().memory.bytes;
      using tower = await VisionTower.load(engine, from, config);
      bytes.push(device().memory.bytes - before);
      using features = engine.scope(() => tower.encode(engine.tensor(pixels, shape)).features);
      results.push(await features.read());
    }
    const [halves, floats, original] = results as [Float32Array, Float32Array, Float32Array];
    expect(halves).toEqual(floats);
    // The weights were rounded at all.
    expect(maxError(halves, original)).toBeGreaterThan(1e-6);
    // Single-precision numbers that happen to be halves are stored as such too.
    expect(bytes[0]).toBe(bytes[1]);
    if (device().packsHalves) expect(bytes[0]).toBeLessThan(0.7 * bytes[2]!);
    else expect(bytes[0]).toBe(bytes[2]);
  });
});
