import { describe, expect, test } from 'vitest';
import { blobSource, bytesSource } from '../../../src/clip/checkpoint/byte-source.js';
import { readFloat32 } from '../../../src/clip/checkpoint/checkpoint.js';
import { openSafetensors } from '../../../src/clip/checkpoint/safetensors.js';
import { writeSafetensors } from '../../../src/clip/checkpoint/safetensors-writer.js';
import {
  collector,
  concat,
  counting,
  expectInputError,
  fixtureBytes,
  littleEndian,
  rawSafetensors,
  safetensorsOf,
} from './support.js';

const open = (bytes: Uint8Array) => openSafetensors(bytesSource('x.safetensors', bytes));
const pair = (a: object, b: object) => ({
  a: { dtype: 'F32', shape: [1], data_offsets: [0, 4], ...a },
  b: { dtype: 'F32', shape: [1], data_offsets: [4, 8], ...b },
});

describe('reading', () => {
  test('names, shapes, types, metadata and values of a real file', async () => {
    const file = await open(fixtureBytes('clip-tiny/model.safetensors'));
    expect(file.names()).toHaveLength(80);
    expect(file.metadata).toEqual(new Map([['format', 'pt']]));
    expect(file.shape('visual_projection.weight')).toEqual([64, 128]);
    expect(file.shape('logit_scale')).toEqual([]);
    expect(file.dtype('text_model.embeddings.position_ids')).toBe('I64');
    const ids = await file.read('text_model.embeddings.position_ids');
    expect([...ids]).toEqual(Array.from({ length: 77 }, (_, i) => BigInt(i)));
    expect(await readFloat32(file, 'logit_scale')).toHaveLength(1);
  });

  test.each([
    ['F64', new Float64Array([1 / 3, -2])],
    ['F32', new Float32Array([1 / 3, -2])],
    ['I64', new BigInt64Array([-1n, 2n ** 60n])],
    ['U64', new BigUint64Array([1n, 2n ** 63n])],
    ['I32', new Int32Array([-1, 2 ** 30])],
    ['U32', new Uint32Array([1, 2 ** 31])],
    ['I16', new Int16Array([-1, 300])],
    ['U16', new Uint16Array([1, 65535])],
    ['I8', new Int8Array([-1, 100])],
    ['U8', new Uint8Array([1, 255])],
    ['BOOL', new Uint8Array([1, 0])],
  ] as const)('%s comes back as it was written, whatever its alignment in memory', async (dtype, values) => {
    const entry = { name: 'x', dtype, shape: [2], read: () => new Uint8Array(values.buffer) };
    const collect = collector();
    await writeSafetensors([entry], new Map(), collect.sink);
    const shifted = concat(0, collect.bytes()).subarray(1);
    expect(await (await open(shifted)).read('x')).toEqual(values);
    expect(await (await open(collect.bytes())).read('x')).toEqual(values);
  });

  test('F16 and BF16 are widened', async () => {
    const file = await open(
      concat(
        rawSafetensors(
          {
            h: { dtype: 'F16', shape: [1], data_offsets: [0, 2] },
            b: { dtype: 'BF16', shape: [], data_offsets: [2, 4] },
          },
          0,
        ),
        littleEndian(0x3555, 2),
        littleEndian(0x3eab, 2),
      ),
    );
    expect(await file.read('h')).toEqual(new Float32Array([0.333251953125]));
    expect(await file.read('b')).toEqual(new Float32Array([0.333984375]));
  });

  test('rows are read alone', async () => {
    const source = counting(
      bytesSource('x', await safetensorsOf({ x: { shape: [4, 3], values: Array.from({ length: 12 }, (_, i) => i) } })),
    );
    const file = await openSafetensors(source);
    source.total = 0;
    expect(await file.read('x', { first: 1, count: 2 })).toEqual(new Float32Array([3, 4, 5, 6, 7, 8]));
    expect(source.total).toBe(24);
    expect(await file.read('x', { first: 4, count: 0 })).toEqual(new Float32Array(0));
    await expectInputError(file.read('x', { first: 3, count: 2 }), /"x"/, /rows 3 to 5 of 4/);
  });

  test('reading one tensor of a large file reads that tensor and the header', async () => {
    const bytes = fixtureBytes('clip-tiny/model.safetensors');
    const source = counting(bytesSource('x', bytes));
    const file = await openSafetensors(source);
    await file.read('visual_projection.weight');
    const headerBytes = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(source.total).toBe(8 + headerBytes + 64 * 128 * 4);
  });

  test("a tensor that is read is the caller's to change", async () => {
    const bytes = await safetensorsOf({ x: { shape: [2], values: [1, 2] } });
    const file = await open(bytes);
    (await readFloat32(file, 'x')).fill(9);
    expect(await file.read('x')).toEqual(new Float32Array([1, 2]));
  });

  test('a Blob is as good as memory', async () => {
    const blob = new Blob([await safetensorsOf({ x: { shape: [2], values: [1, 2] } })]);
    expect(await (await openSafetensors(blobSource('x', blob))).read('x')).toEqual(new Float32Array([1, 2]));
    await expectInputError(blobSource('short', blob).read(blob.size - 1, 2), /^short: /);
  });

  test('names that JavaScript objects treat specially are names like any other', async () => {
    const names = ['__proto__', 'constructor', 'toString', '0', 'ä\u2028'];
    const bytes = await safetensorsOf(Object.fromEntries([]));
    expect((await open(bytes)).names()).toEqual([]);
    const collect = collector();
    const entries = names.map((name, i) => ({
      name,
      dtype: 'U8' as const,
      shape: [1],
      read: () => new Uint8Array([i]),
    }));
    await writeSafetensors(entries, new Map([['__proto__', 'text']]), collect.sink);
    const file = await open(collect.bytes());
    expect(new Set(file.names())).toEqual(new Set(names));
    for (const [i, name] of names.entries()) expect(await file.read(name)).toEqual(new Uint8Array([i]));
    expect(file.metadata.get('__proto__')).toBe('text');
    expect(file.has('hasOwnProperty')).toBe(false);
    await expectInputError(file.read('valueOf'), /no tensor "valueOf"/);
    expect(() => file.shape('valueOf')).toThrow('"valueOf"');
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });
});

describe('writing', () => {
  const entries = [
    { name: 'b', dtype: 'F16' as const, shape: [3], read: () => new Uint8Array(6) },
    { name: 'a', dtype: 'F16' as const, shape: [1], read: () => new Uint8Array(2) },
    { name: 'z', dtype: 'I64' as const, shape: [], read: () => new Uint8Array(8) },
    { name: 'y', dtype: 'F32' as const, shape: [0, 4], read: () => new Uint8Array(0) },
    { name: 'x', dtype: 'F32' as const, shape: [1], read: () => new Uint8Array(4) },
  ];
  const write = async (
    list: typeof entries,
    metadata = new Map([
      ['b', '2'],
      ['a', '1'],
    ]),
  ) => {
    const collect = collector();
    await writeSafetensors(list, metadata, collect.sink);
    return collect.bytes();
  };

  test('the file does not depend on the order of its tensors, and every tensor is aligned to its type', async () => {
    const bytes = await write(entries);
    expect(
      await write(
        [...entries].reverse(),
        new Map([
          ['a', '1'],
          ['b', '2'],
        ]),
      ),
    ).toEqual(bytes);
    const headerBytes = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(headerBytes % 8).toBe(0);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerBytes)));
    expect(Object.keys(header)).toEqual(['__metadata__', 'z', 'x', 'y', 'a', 'b']);
    for (const [name, size] of [
      ['z', 8],
      ['x', 4],
      ['y', 4],
      ['a', 2],
      ['b', 2],
    ] as const) {
      expect(header[name].data_offsets[0] % size).toBe(0);
    }
    expect((await open(bytes)).names()).toHaveLength(5);
  });

  test('tensors are read one at a time, after the one before has been taken', async () => {
    const log: string[] = [];
    const watched = entries.map((entry) => ({
      ...entry,
      read: () => {
        log.push(`read ${entry.name}`);
        return entry.read();
      },
    }));
    const take = (chunk: Uint8Array): void => void log.push(`took ${chunk.length}`);
    await writeSafetensors(watched, new Map(), (chunk) => Promise.resolve().then(() => take(chunk)));
    expect(log.slice(1)).toEqual([
      'read z',
      'took 8',
      'read x',
      'took 4',
      'read y',
      'took 0',
      'read a',
      'took 2',
      'read b',
      'took 6',
    ]);
  });

  test('one name twice is refused', async () => {
    await expectInputError(write([...entries, entries[0]!]), /"b"/);
  });
});

describe('hostile headers', () => {
  test.each([
    ['overlap', pair({}, { data_offsets: [0, 4] }), /"b" overlaps/],
    ['partial overlap', pair({}, { shape: [2], data_offsets: [2, 10] }), /"b" overlaps/],
    ['hole', pair({}, { data_offsets: [8, 12] }), /"b" leaves a hole/],
    ['hole at the start', pair({ data_offsets: [4, 8] }, { data_offsets: [8, 12] }), /"a" leaves a hole/],
    ['size that differs from the shape', pair({}, { shape: [2] }), /"b".*takes 8 bytes, data_offsets span 4/],
    ['offsets the wrong way round', pair({}, { data_offsets: [8, 4] }), /"b".*ascending/],
    ['negative offset', pair({ data_offsets: [-4, 0] }, {}), /"a".*ascending/],
    ['fractional offset', pair({ data_offsets: [0.5, 4.5] }, {}), /"a".*ascending/],
    ['huge offset', pair({}, { data_offsets: [1e300, 1e300] }), /"b".*ascending/],
    ['offsets that are no list', pair({}, { data_offsets: 'x' }), /"b".*ascending/],
    ['negative size', pair({}, { shape: [-1, -1] }), /"b".*-1/],
    ['fractional size', pair({}, { shape: [1.5] }), /"b".*1.5/],
    ['text for a size', pair({}, { shape: ['1'] }), /"b".*"1"/],
    ['overflowing shape', pair({}, { shape: [2 ** 40, 2 ** 40, 0] }), /"b".*large/],
    ['no shape', pair({}, { shape: null }), /"b".*no shape/],
    ['many dimensions', pair({}, { shape: new Array(1000).fill(1) }), /"b".*1000 dimensions/],
    ['unknown type', pair({}, { dtype: 'F8_E4M3' }), /"b".*"F8_E4M3"/],
    ['inherited name as type', pair({}, { dtype: 'constructor' }), /"b".*"constructor"/],
    ['entry that is no object', { a: 3 }, /"a"/],
    [
      'data after the last tensor',
      { a: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } },
      /describes \d+ bytes, the file has/,
    ],
    ['metadata that is no object', { __metadata__: 3 }, /__metadata__/],
    ['metadata that is no text', { __metadata__: { x: {} } }, /"x"/],
    ['line feed in a name', { 'a\nb': {} }, /"a\\nb"/],
    ['list', [], /not a JSON object/],
    ['no JSON', '{"a"', /not valid JSON/],
    ['deep nesting', '{"a":'.repeat(200_000), /not valid JSON/],
  ])('%s', async (_, header, pattern) => {
    await expectInputError(open(rawSafetensors(header, 8)), /^x\.safetensors: /, pattern);
  });

  test('a name given twice', async () => {
    const twice =
      '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}';
    await expectInputError(open(rawSafetensors(twice, 8)), /"a" leaves a hole/);
  });

  test('a header longer than the file, or than the limit, is refused before it is read', async () => {
    const source = counting(bytesSource('x', concat(littleEndian(2 ** 40, 8), '{}')));
    await expectInputError(openSafetensors(source), /claims 1099511627776 bytes/);
    expect(source.total).toBe(8);
    const sparse = { name: 'huge', size: 2 ** 41, read: async () => concat(littleEndian(2 ** 40, 8)) };
    await expectInputError(openSafetensors(sparse), /claims 1099511627776 bytes/);
  });

  test('every truncation of a file is refused', async () => {
    const bytes = await safetensorsOf({ a: { shape: [2], values: [1, 2] }, b: { shape: [3], values: [1, 2, 3] } });
    for (let length = 0; length < bytes.length; length++)
      await expectInputError(open(bytes.subarray(0, length)), /^x\.safetensors/);
  });
});
