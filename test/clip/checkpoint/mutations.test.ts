/** Files with random damage: each must either open and read, or be refused as bad input, and quickly. */
import { unzipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { bytesSource } from '../../../src/clip/checkpoint/byte-source.js';
import { canonicalClip } from '../../../src/clip/checkpoint/canonical-clip.js';
import { openCheckpoint } from '../../../src/clip/checkpoint/open-checkpoint.js';
import { inferConfig, parseConfigJson } from '../../../src/clip/config.js';
import { InputError } from '../../../src/errors.js';
import { randomReals } from '../../support/random.js';
import { fixtureBytes } from './support.js';
import { buildZip } from './zip-builder.js';

const INTERESTING = [0, 1, 0x7f, 0x80, 0xff, 0x28, 0x2e, 0x51, 0x52, 0x62, 0x63, 0x74, 0x75, 0x7b, 0x7d, 0x22];

/** Uniform integers below `limit`, seeded. */
function integers(seed: number): (limit: number) => number {
  const next = randomReals(seed);
  return (limit) => Math.min(limit - 1, Math.floor(((next(1)[0]! + 1) / 2) * limit));
}

/** Opens the file and reads up to three tensors. Returns whether it was refused; any other outcome throws. */
async function refused(bytes: Uint8Array): Promise<boolean> {
  try {
    const checkpoint = await openCheckpoint(bytesSource('mutant', bytes));
    const names = checkpoint.names();
    for (const name of [names[0], names[names.length >> 1], names.at(-1)])
      if (name !== undefined) await checkpoint.read(name);
    inferConfig(canonicalClip(checkpoint), { activation: 'gelu' });
    return false;
  } catch (error) {
    if (!(error instanceof InputError) || error.message.includes('\n')) throw error;
    return true;
  }
}

/** Damages `file` within `regions` in `count` ways, one after the other, and repairs it in between. */
async function mutate(file: Uint8Array, regions: readonly (readonly [number, number])[], count: number, seed: number) {
  const random = integers(seed);
  let refusals = 0;
  let slowest = 0;
  for (let i = 0; i < count; i++) {
    const changes = Array.from({ length: 1 + random(3) }, () => {
      const [start, end] = regions[random(regions.length)]!;
      const at = start + random(end - start);
      return { at, before: file[at]!, after: random(2) ? INTERESTING[random(INTERESTING.length)]! : random(256) };
    });
    for (const { at, after } of changes) file[at] = after;
    const started = performance.now();
    if (await refused(file)) refusals++;
    slowest = Math.max(slowest, performance.now() - started);
    for (const { at, before } of changes.reverse()) file[at] = before;
  }
  return { refusals, slowest };
}

/** Where `part` lies in `file`. */
function find(file: Uint8Array, part: Uint8Array): readonly [number, number] {
  const at = Buffer.from(file.buffer, file.byteOffset, file.length).indexOf(part);
  expect(at).toBeGreaterThanOrEqual(0);
  return [at, at + part.length];
}

/** The pickle, and everything from the central directory on. */
function torchRegions(file: Uint8Array): (readonly [number, number])[] {
  const entries = Object.entries(unzipSync(file));
  const pickle = entries.find(([name]) => name.endsWith('data.pkl'))![1];
  const directory = Buffer.from(file.buffer).indexOf('PK\x01\x02', 0, 'latin1');
  return [find(file, pickle), [directory, file.length], [0, 200]];
}

describe('random damage is refused or harmless, and never slow', () => {
  test('safetensors headers', async () => {
    for (const [name, count] of [
      ['model.safetensors', 800],
      ['open_clip_model.safetensors', 800],
    ] as const) {
      const file = fixtureBytes(`clip-tiny/${name}`);
      const headerEnd = 8 + Number(new DataView(file.buffer).getBigUint64(0, true));
      const { refusals, slowest } = await mutate(
        file,
        [
          [0, headerEnd],
          [0, 200],
        ],
        count,
        1,
      );
      expect(refusals).toBeGreaterThan(count / 2);
      expect(slowest).toBeLessThan(2000);
    }
  });

  test.each([
    ['clip-tiny/openai_torchscript.pt', 800],
    ['clip-tiny/state_dict_f16.pt', 600],
    ['checkpoint/views.pt', 1500],
    ['checkpoint/wrapped_protocol5.pt', 800],
    ['checkpoint/modules.ts.pt', 800],
  ] as const)('%s', async (name, count) => {
    const file = fixtureBytes(name);
    const { refusals, slowest } = await mutate(file, torchRegions(file), count, 2);
    expect(refusals).toBeGreaterThan(count / 10);
    expect(slowest).toBeLessThan(2000);
  });

  test('deflated, 64-bit archives', async () => {
    const parts = Object.entries(unzipSync(fixtureBytes('checkpoint/views.pt'))).map(([name, data]) => ({
      name,
      data,
      deflate: true,
    }));
    const file = buildZip(parts, { zip64: true });
    const { slowest } = await mutate(file, [[0, file.length]], 800, 3);
    expect(slowest).toBeLessThan(2000);
  });

  test('truncations of real files', async () => {
    for (const name of [
      'clip-tiny/model.safetensors',
      'clip-tiny/openai_torchscript.pt',
      'checkpoint/views.pt',
      'checkpoint/before_1_6.pt',
    ]) {
      const file = fixtureBytes(name);
      const random = integers(4);
      const lengths = [
        0,
        1,
        7,
        8,
        9,
        21,
        22,
        100,
        file.length - 1,
        ...Array.from({ length: 200 }, () => random(file.length)),
      ];
      for (const length of lengths)
        expect(await refused(file.subarray(0, length)), `${name} cut to ${length} bytes`).toBe(true);
    }
  });

  test('config.json', () => {
    const file = fixtureBytes('clip-tiny/config.json');
    const random = integers(5);
    for (let i = 0; i < 3000; i++) {
      const mutant = file.slice();
      for (let change = random(3); change >= 0; change--) mutant[random(mutant.length)] = random(128);
      try {
        parseConfigJson(new TextDecoder().decode(mutant), 'config.json');
      } catch (error) {
        if (!(error instanceof InputError) || error.message.includes('\n')) throw error;
      }
    }
  });
});
