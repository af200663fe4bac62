/** What is written is read back as it was, and what was cut is refused: checkpoints, configurations, vocabularies, images. */

import fc from 'fast-check';
import { gzipSync, unzipSync } from 'fflate';
import { beforeAll, describe, expect, test } from 'vitest';
import { bytesSource } from '../../src/clip/checkpoint/byte-source.js';
import {
  type DType,
  openCheckpoint,
  parseShardIndex,
  type SafetensorsEntry,
  writeSafetensors,
} from '../../src/clip/checkpoint/index.js';
import { openSafetensors } from '../../src/clip/checkpoint/safetensors.js';
import { openZip } from '../../src/clip/checkpoint/zip.js';
import { type ClipConfig, configToJson, parseConfigJson } from '../../src/clip/config.js';
import { decodeImage, encodeJpeg, encodePng } from '../../src/clip/image/index.js';
import { readJpegHeader } from '../../src/clip/image/jpeg/header.js';
import { ClipTokenizer } from '../../src/clip/tokenizer/index.js';
import { InputError } from '../../src/errors.js';
import { loadImageCodecs } from '../../src/node/image-codecs.js';
import { anyText, expectWholeOnly, RUNS, someCuts } from '../support/properties.js';
import { collector, expectInputError, fixtureBytes } from './checkpoint/support.js';
import { buildZip } from './checkpoint/zip-builder.js';

const BYTES = { F32: 4, F64: 8, I64: 8, I32: 4, U8: 1, BOOL: 1 } as const satisfies Partial<Record<DType, number>>;

/** Tensors of any names, shapes and contents. */
const anyTensors = fc.uniqueArray(
  fc
    .record({
      name: anyText.filter((name) => name !== '__metadata__'),
      dtype: fc.constantFrom(...(Object.keys(BYTES) as (keyof typeof BYTES)[])),
      shape: fc.array(fc.nat(3), { maxLength: 4 }),
      seed: fc.nat(255),
    })
    .map((tensor) => {
      const length = tensor.shape.reduce((count, size) => count * size, BYTES[tensor.dtype]);
      return { ...tensor, bytes: Uint8Array.from({ length }, (_, i) => (tensor.seed + 7 * i) & 127) };
    }),
  { maxLength: 6, selector: ({ name }) => name },
);
const anyMetadata = fc.array(fc.tuple(anyText, anyText), { maxLength: 4 }).map((pairs) => new Map(pairs));

async function safetensors(
  tensors: readonly (Omit<SafetensorsEntry, 'read'> & { bytes: Uint8Array })[],
  metadata: ReadonlyMap<string, string>,
): Promise<Uint8Array<ArrayBuffer>> {
  const collect = collector();
  const entries = tensors.map(({ bytes, ...entry }) => ({ ...entry, read: () => bytes }));
  await writeSafetensors(entries, metadata, collect.sink);
  return collect.bytes();
}

test('safetensors: any tensors and metadata, in any order', () =>
  fc.assert(
    fc.asyncProperty(anyTensors, anyMetadata, someCuts, async (tensors, metadata, cuts) => {
      const file = await safetensors(tensors, metadata);
      expect(await safetensors(tensors.toReversed(), metadata)).toEqual(file);
      const opened = await openSafetensors(bytesSource('a.safetensors', file));
      expect(opened.metadata).toEqual(metadata);
      expect([...opened.names()].sort()).toEqual(tensors.map(({ name }) => name).sort());
      for (const { name, dtype, shape, bytes } of tensors) {
        expect([opened.dtype(name), opened.shape(name)]).toEqual([dtype, shape]);
        const { buffer, byteOffset, byteLength } = await opened.read(name);
        // A byte that is not 0 is true.
        const expected = dtype === 'BOOL' ? bytes.map((byte) => Number(byte !== 0)) : bytes;
        expect(new Uint8Array(buffer, byteOffset, byteLength)).toEqual(expected);
      }
      await expectWholeOnly(file, 'a.safetensors', cuts, (bytes) =>
        openSafetensors(bytesSource('a.safetensors', bytes)),
      );
    }),
    RUNS,
  ));

test('archives: any entries, stored or deflated', () => {
  const anyParts = fc.uniqueArray(
    fc.record({ name: anyText, data: fc.uint8Array({ maxLength: 100 }), deflate: fc.boolean() }),
    { maxLength: 5, selector: ({ name }) => new TextDecoder().decode(new TextEncoder().encode(name)) },
  );
  return fc.assert(
    fc.asyncProperty(anyParts, fc.boolean(), someCuts, async (parts, zip64, cuts) => {
      const file = buildZip(parts, { zip64 });
      const opened = await openZip(bytesSource('a.zip', file));
      for (const { name, data } of parts) expect(await opened.read(name)).toEqual(data);
      await expectWholeOnly(file, 'a.zip', cuts, (bytes) => openZip(bytesSource('a.zip', bytes)));
    }),
    RUNS,
  );
});

test.each(['checkpoint/views.pt', 'checkpoint/wrapped_protocol5.pt', 'checkpoint/modules.ts.pt'])(
  '%s: the same tensors in every archive that holds the same entries',
  async (fixture) => {
    const file = fixtureBytes(fixture);
    const contents = async (bytes: Uint8Array<ArrayBuffer>) => {
      const checkpoint = await openCheckpoint([bytesSource('a.pt', bytes)]);
      return Promise.all(
        checkpoint.names().map(async (name) => [name, checkpoint.shape(name), await checkpoint.read(name)]),
      );
    };
    const expected = await contents(file);
    const entries = Object.entries(unzipSync(file));
    const property = fc.asyncProperty(
      fc.shuffledSubarray(entries, { minLength: entries.length }),
      fc.array(fc.boolean(), { minLength: entries.length, maxLength: entries.length }),
      someCuts,
      async (shuffled, deflated, cuts) => {
        const repacked = buildZip(shuffled.map(([name, data], i) => ({ name, data, deflate: deflated[i]! })));
        expect(await contents(repacked)).toEqual(expected);
        await expectWholeOnly(repacked, 'a.pt', cuts, contents);
      },
    );
    await fc.assert(property, { seed: 1, numRuns: 15 });
  },
);

const shardName = fc.nat().map((n) => `model-${n}.safetensors`);

test('an index of shards: names of files of weights only, whatever is asked for', () =>
  fc.assert(
    fc.asyncProperty(fc.dictionary(anyText, fc.oneof(anyText, shardName), { maxKeys: 3 }), async (weightMap) => {
      const text = JSON.stringify({ weight_map: weightMap });
      const isShard = (name: string) => /^\w[\w.-]*$/.test(name) && /\.(?:safetensors|bin|pt|pth)$/.test(name);
      if (Object.values(weightMap).every(isShard)) {
        expect(parseShardIndex(text, 'index.json')).toEqual(new Map(Object.entries(weightMap)));
      } else
        await expectInputError(
          () => parseShardIndex(text, 'index.json'),
          /^index\.json: .* not the name of a shard, such as model-00001-of-00002\.safetensors$/,
        );
    }),
    RUNS,
  ));

test('config.json: every configuration that can be run', () => {
  const tower = fc
    .record({
      heads: fc.integer({ min: 1, max: 20 }),
      layers: fc.integer({ min: 1, max: 40 }),
      intermediate: fc.integer({ min: 1, max: 9999 }),
    })
    .map((sizes) => ({ ...sizes, width: 64 * sizes.heads }));
  const anyConfig = fc.record({
    activation: fc.constantFrom('quick_gelu' as const, 'gelu' as const),
    layerNormEpsilon: fc.double({ min: 1e-9, max: 0.1, noNaN: true }),
    text: tower.map((sizes) => ({ ...sizes, context: 77, vocabularySize: 49_408 })),
    vision: fc
      .tuple(tower, fc.integer({ min: 1, max: 20 }))
      .map(([sizes, side]) => ({ ...sizes, imageSize: 14 * side, patchSize: 14 })),
  });
  return fc.assert(
    fc.asyncProperty(anyConfig, someCuts, async (sizes, cuts) => {
      const config: ClipConfig = { ...sizes, projectionDim: sizes.text.width };
      const json = configToJson(config).trimEnd();
      expect(parseConfigJson(json, 'config.json')).toEqual(config);
      await expectWholeOnly(new TextEncoder().encode(json), 'config.json', cuts, (bytes) =>
        parseConfigJson(new TextDecoder().decode(bytes), 'config.json'),
      );
    }),
    RUNS,
  );
});

describe('vocabularies', () => {
  const lines = new TextDecoder().decode(fixtureBytes('tokenizer/merges.txt')).trimEnd().split('\n');

  test('any beginning of a list, plain or compressed, is written as it was read', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 200 }), someCuts, async (count, cuts) => {
        const text = `${lines.slice(0, count).join('\n')}\n`;
        const packed = gzipSync(new TextEncoder().encode(text), { mtime: 0 });
        const read = (bytes: Uint8Array) => ClipTokenizer.fromVocabularyFile(bytes, 'merges.txt');
        const tokenizer = read(packed);
        const written = ClipTokenizer.fromMerges(tokenizer.mergesText(), 'merges.txt');
        expect(written.mergesText()).toBe(tokenizer.mergesText());
        expect(read(new TextEncoder().encode(text)).mergesText()).toBe(tokenizer.mergesText());
        expect(written.encode('a photo of joy')).toEqual(tokenizer.encode('a photo of joy'));
        // Without its first byte a compressed file is an empty list.
        await expectWholeOnly(packed, 'merges.txt', cuts, (bytes) =>
          read(bytes.length < 2 ? packed.slice(0, 2) : bytes),
        );
      }),
      { seed: 1, numRuns: 20 },
    ));
});

describe('images', () => {
  beforeAll(async () => {
    loadImageCodecs();
  });
  const anyPicture = fc
    .record({ width: fc.integer({ min: 1, max: 12 }), height: fc.integer({ min: 1, max: 12 }), seed: fc.nat(255) })
    .map(({ width, height, seed }) => ({
      ...{ width, height },
      rgb: Uint8Array.from({ length: 3 * width * height }, (_, i) => (seed + i * i) & 255),
    }));

  /** Some bytes at the end may be missing, of checksums and end markers; then all pixels are there. */
  async function expectWholePixelsOnly(file: Uint8Array, name: string, cuts: readonly number[]): Promise<void> {
    const whole = await decodeImage(file, name);
    for (const length of [file.length - 1, ...cuts.map((share) => Math.floor(share * file.length))]) {
      const found = await decodeImage(file.subarray(0, length), name).catch((error: unknown) => error);
      if (!(found instanceof InputError)) expect(found).toEqual(whole);
    }
  }

  test('PNG: any pixels', () =>
    fc.assert(
      fc.asyncProperty(anyPicture, someCuts, async ({ width, height, rgb }, cuts) => {
        const file = encodePng(rgb, width, height);
        const { mode, data, ...size } = await decodeImage(file, 'a.png');
        expect([size.width, size.height, mode]).toEqual([width, height, 'RGB']);
        expect(new Uint8Array(data)).toEqual(rgb);
        await expectWholePixelsOnly(file, 'a.png', cuts);
        await expectInputError(decodeImage(file.subarray(0, file.length / 2), 'a.png'), /^a\.png: /);
      }),
      RUNS,
    ));

  test('JPEG: any size', () =>
    fc.assert(
      fc.asyncProperty(anyPicture, someCuts, async ({ width, height, rgb }, cuts) => {
        const file = await encodeJpeg(rgb, width, height, 90);
        expect(readJpegHeader(file, 'a.jpg')).toMatchObject({ width, height, components: { length: 3 } });
        expect(await decodeImage(file, 'a.jpg')).toMatchObject({ width, height, mode: 'RGBX' });
        await expectWholePixelsOnly(file, 'a.jpg', cuts);
        await expectInputError(decodeImage(file.subarray(0, file.length / 2), 'a.jpg'), /^a\.jpg: /);
      }),
      RUNS,
    ));
});
