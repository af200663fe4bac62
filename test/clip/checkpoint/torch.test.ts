import { readFileSync } from 'node:fs';
import { unzipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { bytesSource } from '../../../src/clip/checkpoint/byte-source.js';
import type { Checkpoint } from '../../../src/clip/checkpoint/checkpoint.js';
import { openCheckpoint } from '../../../src/clip/checkpoint/open-checkpoint.js';
import { openTorch } from '../../../src/clip/checkpoint/torch.js';
import { concat, counting, expectInputError, fixtureBytes, fixturePath, littleEndian, openFixture } from './support.js';
import { buildZip, type ZipPart } from './zip-builder.js';

interface Expected {
  readonly [name: string]: { readonly shape: number[]; readonly values: (number | string)[] };
}
const EXPECTED: Readonly<Record<string, Expected>> = JSON.parse(
  readFileSync(fixturePath('checkpoint/expected.json'), 'utf8'),
);

const open = (bytes: Uint8Array) => openTorch(bytesSource('x.pt', bytes));

async function expectTensors(checkpoint: Checkpoint, expected: Expected | undefined): Promise<void> {
  expect(new Set(checkpoint.names())).toEqual(new Set(Object.keys(expected ?? {})));
  for (const [name, { shape, values }] of Object.entries(expected ?? {})) {
    expect(checkpoint.shape(name), name).toEqual(shape);
    const found = Array.from<number | bigint>(await checkpoint.read(name));
    expect(
      found.map((value) => (typeof value === 'bigint' ? String(value) : value)),
      name,
    ).toEqual(values);
  }
}

/** The parts of a torch file, to be changed and zipped again. */
function partsOf(fixture: string): ZipPart[] {
  return Object.entries(unzipSync(fixtureBytes(fixture))).map(([name, data]) => ({ name, data }));
}

const replacePickle = (pickle: Uint8Array, data: ZipPart[] = []) =>
  buildZip([{ name: 'x/data.pkl', data: concat(0x80, 2, pickle, '.') }, ...data]);

/** The opcodes of one tensor: `_rebuild_tensor_v2` on FloatStorage '0' of `length` elements. */
function tensorPickle(length: number, offset: number, shape: number[], strides: number[]): Uint8Array {
  const int = (value: number) => concat(0x8a, 8, littleEndian(value, 8));
  const tuple = (values: number[]) => concat('(', ...values.map(int), 't');
  const storage = concat(
    '(',
    'U',
    7,
    'storage',
    'ctorch\nFloatStorage\n',
    'U',
    1,
    '0',
    'U',
    3,
    'cpu',
    int(length),
    't',
    'Q',
  );
  return concat(
    'ctorch._utils\n_rebuild_tensor_v2\n',
    '(',
    storage,
    int(offset),
    tuple(shape),
    tuple(strides),
    0x89,
    '}',
    't',
    'R',
  );
}
const named = (tensor: Uint8Array, name = 'w') => concat('}', 'U', concat(name).length, name, tensor, 's');
const FOUR_FLOATS: ZipPart = { name: 'x/data/0', data: new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer) };

const opaque = (...args: (number | string | Uint8Array)[]) => concat('cmy.lib\nmake\n', '(', ...args, 't', 'R');
const wrapped = (name: string, value: Uint8Array) => concat('}', 'U', concat(name).length, name, value, 's');
const openPickle = (pickle: Uint8Array) => open(replacePickle(pickle, [FOUR_FLOATS]));

describe('objects of unknown classes', () => {
  const plain = tensorPickle(4, 0, [4], [1]);

  test('are passed over, tensors in them too, where they are no parameter', async () => {
    const scheduler = concat('U', 9, 'scheduler', opaque(named(plain)), 's');
    expect((await openPickle(concat(named(plain), scheduler))).names()).toEqual(['w']);
  });

  test.each<[string, Uint8Array, RegExp]>([
    [
      'a parameter made by one',
      concat(named(plain), 'U', 7, 'a.b.c.d', opaque(plain), 's'),
      /^x\.pt: tensor "a\.b\.c\.d" is made by "my\.lib\.make", which is not run here; save it as a plain tensor/,
    ],
    [
      'a tensor of a type that is not read',
      concat(named(plain), 'U', 1, 'q', concat('ctorch._utils\n_rebuild_qtensor\n', '(', plain, 't', 'R'), 's'),
      /^x\.pt: tensor "q" is made by "torch\._utils\._rebuild_qtensor"/,
    ],
    [
      'the whole file',
      opaque(plain),
      /^x\.pt: saved as a whole Python object made by "my\.lib\.make".*\.state_dict\(\)/,
    ],
    [
      'arrays of NumPy only',
      named(opaque('U', 1, 'x')),
      /^x\.pt: contains no tensors, but objects made by "my\.lib\.make"/,
    ],
    [
      'two dictionaries alike',
      concat(wrapped('student', named(plain)), 'U', 7, 'teacher', named(plain), 's'),
      /^x\.pt: as many tensors in \["student"\] as in \["teacher"\]; keep the model's/,
    ],
  ])('%s: refused, with how to save it again', async (_, pickle, message) => {
    await expectInputError(openPickle(pickle), message, /torch\./);
  });
});

describe('a state_dict in dictionaries', () => {
  const two = concat(
    '}',
    '(',
    'U',
    1,
    'a',
    tensorPickle(4, 0, [4], [1]),
    'U',
    1,
    'b',
    tensorPickle(4, 0, [2], [1]),
    'u',
  );
  test.each<[string, Uint8Array]>([
    ['under a known key of a known key', wrapped('state_dict', wrapped('model', two))],
    ['deeper, under keys of its own', wrapped('checkpoint', wrapped('net', two))],
    [
      'beside one with fewer tensors',
      concat(wrapped('head', named(tensorPickle(4, 0, [4], [1]))), 'U', 3, 'net', two, 's'),
    ],
    [
      'beside one that is known, and empty of tensors',
      concat(wrapped('model', wrapped('name', concat('N'))), 'U', 3, 'net', two, 's'),
    ],
  ])('%s', async (_, pickle) => {
    expect((await openPickle(pickle)).names()).toEqual(['a', 'b']);
  });
});

describe('files that torch wrote', () => {
  test('views, strides and every storage type', async () => {
    const checkpoint = await openFixture('checkpoint/views.pt');
    expect(checkpoint.format).toBe('torch');
    expect(checkpoint.dtype('bf16')).toBe('BF16');
    await expectTensors(checkpoint, EXPECTED['views.pt']);
  });

  test('rows of views', async () => {
    const checkpoint = await openFixture('checkpoint/views.pt');
    expect([...(await checkpoint.read('transposed', { first: 2, count: 2 }))]).toEqual([2, 8, 14, 20, 3, 9, 15, 21]);
    expect([...(await checkpoint.read('rows', { first: 1, count: 1 }))]).toEqual([12, 13, 14, 15, 16, 17]);
    await expectInputError(checkpoint.read('rows', { first: 1, count: 2 }), /"rows"/);
    await expectInputError(checkpoint.read('scalar', { first: 0, count: 1 }), /"scalar"/);
  });

  test.each([2, 4, 5])('a checkpoint around a state_dict, in pickle protocol %i', async (protocol) => {
    await expectTensors(await openFixture(`checkpoint/wrapped_protocol${protocol}.pt`), EXPECTED.wrapped);
  });

  test.each([2, 4])(
    "deep among NumPy's numbers, paths, options, sets and schedulers, in protocol %i",
    async (protocol) => {
      await expectTensors(await openFixture(`checkpoint/extras_protocol${protocol}.pt`), EXPECTED.wrapped);
    },
  );

  test('a module saved whole is refused, with how to save it again', async () => {
    await expectInputError(
      openFixture('checkpoint/module.pt'),
      /^checkpoint\/module\.pt: saved as a whole Python object made by "torch\.nn\.modules\.container\.Sequential", which is not run here/,
      /torch\.save\(torch\.load\("checkpoint\/module\.pt", map_location="cpu"\)\["model"\]\.state_dict\(\), "new\.pt"\)$/,
    );
  });

  test('a TorchScript module tree, with nested and shared modules', async () => {
    const checkpoint = await openFixture('checkpoint/modules.ts.pt');
    expect(checkpoint.format).toBe('torchscript');
    await expectTensors(checkpoint, EXPECTED['modules.ts.pt']);
  });

  test('deflated, with ZIP64 records, and with its byte order written down', async () => {
    const parts = partsOf('checkpoint/views.pt').map((part) => ({ ...part, deflate: true }));
    await expectTensors(
      await open(buildZip([...parts, { name: 'views/byteorder', data: 'little' }], { zip64: true })),
      EXPECTED['views.pt'],
    );
  });

  test('reading one tensor reads only that tensor', async () => {
    const source = counting(bytesSource('x', fixtureBytes('clip-tiny/pytorch_model.bin')));
    const checkpoint = await openTorch(source);
    expect(source.total).toBeLessThan(100_000);
    source.total = 0;
    const name = 'vision_model.encoder.layers.0.mlp.fc1.weight';
    await checkpoint.read(name);
    expect(source.total).toBe(30 + 512 * 128 * 4);
    source.total = 0;
    await checkpoint.read(name, { first: 10, count: 2 });
    expect(source.total).toBe(30 + 2 * 128 * 4);
  });
});

describe('files that are refused', () => {
  test('big-endian data', async () => {
    const parts = [...partsOf('checkpoint/views.pt'), { name: 'views/byteorder', data: 'big' }];
    await expectInputError(open(buildZip(parts)), /^x\.pt: byte order "big"/);
  });

  test('from before torch 1.6, with the way to convert them', async () => {
    const fix = /torch\.save\(torch\.load\(/;
    await expectInputError(openFixture('checkpoint/before_1_6.pt'), /before 1\.6/, fix);
    const tar = concat(new Uint8Array(257), 'ustar', new Uint8Array(250));
    await expectInputError(openCheckpoint(bytesSource('x.pt', tar)), /^x\.pt: .*before 1\.6/, fix);
  });

  test('an archive that is none of torch, or two of them', async () => {
    await expectInputError(open(buildZip([{ name: 'a.txt', data: '' }])), /ZIP archive has 0/);
    const two = ['a', 'b'].map((root) => ({ name: `${root}/data.pkl`, data: '' }));
    await expectInputError(open(buildZip(two)), /ZIP archive has 2/);
  });

  test('code in the pickle', async () => {
    const code = concat('cos\nsystem\n', 'U', 8, 'touch /x', 0x85, 'R');
    await expectInputError(open(replacePickle(code)), /^x\.pt: .*"os\.system"/);
  });

  test('a pickle that is no dictionary', async () => {
    await expectInputError(open(replacePickle(concat(']'))), /state_dict/);
  });

  test('a pickle that inflates beyond the limit', async () => {
    const zip = buildZip([
      {
        name: 'x/data.pkl',
        data: 'x'.repeat(40_000),
        deflate: true,
        claim: { size: 33 * 2 ** 20, compressedSize: 40_000 },
      },
    ]);
    await expectInputError(open(zip), /over the limit|overlaps/);
  });

  test.each<[string, Uint8Array, RegExp]>([
    ['reaches beyond its storage', tensorPickle(4, 1, [4], [1]), /reaches element 5, the storage has 4/],
    ['strides beyond its storage', tensorPickle(4, 0, [2, 2], [3, 1]), /reaches element 5/],
    ['strides beyond 2^53', tensorPickle(4, 0, [2 ** 52], [2 ** 52]), /reaches element/],
    ['has a negative stride', tensorPickle(4, 3, [4], [-1]), /invalid/],
    ['has a negative size', tensorPickle(4, 0, [-4], [1]), /invalid/],
    ['has fewer strides than sizes', tensorPickle(4, 0, [2, 2], [1]), /invalid/],
    [
      'repeats one element a billion times',
      tensorPickle(4, 0, [2 ** 15, 2 ** 15], [0, 0]),
      /repeats 4 elements into 1073741824/,
    ],
    ['has a longer storage than the file', tensorPickle(5, 0, [4], [1]), /"w" needs 20 bytes, "x\/data\/0" has 16/],
    ['is built on no storage', concat('ctorch._utils\n_rebuild_tensor_v2\n', '(', 'N', 't', 'R'), /not a storage/],
  ])('a tensor that %s', async (_, tensor, pattern) => {
    await expectInputError(open(replacePickle(named(tensor), [FOUR_FLOATS])), /^x\.pt: /, pattern);
  });

  test('a tensor whose storage is missing', async () => {
    await expectInputError(open(replacePickle(named(tensorPickle(4, 0, [4], [1])))), /"w" is missing \("x\/data\/0"\)/);
  });

  test('a module tree without end, or too deep', async () => {
    const module = concat('c__torch__\nM\n', ')', 0x81);
    const cycle = concat(module, 'q', 1, '}', 'U', 1, 'm', 'h', 1, 's', 'b');
    await expectInputError(open(replacePickle(cycle)), /nested more than 64 deep/);
    // Each level holds the one below it twice: 40 levels would unfold to 2^40 modules.
    let folded = concat(module, 'q', 0, '0');
    for (let level = 1; level <= 40; level++) {
      folded = concat(
        folded,
        module,
        '}',
        '(',
        'U',
        1,
        'a',
        'h',
        level - 1,
        'U',
        1,
        'b',
        'h',
        level - 1,
        'u',
        'b',
        'q',
        level,
        '0',
      );
    }
    await expectInputError(open(replacePickle(concat(folded, 'h', 40))), /module tree is impossibly large/);
  });

  test('a shape that the pickle changes after the tensor was built keeps its checked value', async () => {
    const int = (value: number) => concat(0x8a, 8, littleEndian(value, 8));
    const tensor = tensorPickle(4, 0, [4], [1]);
    const shape = concat('(', int(4), 't');
    const at = tensor.findIndex((_, i) => shape.every((byte, j) => tensor[i + j] === byte));
    const remembered = concat(tensor.subarray(0, at + shape.length), 'q', 9, tensor.subarray(at + shape.length));
    const changed = concat(named(remembered), 'h', 9, int(1_000_000), 'a', '0');
    const checkpoint = await open(replacePickle(changed, [FOUR_FLOATS]));
    expect(checkpoint.shape('w')).toEqual([4]);
    expect([...(await checkpoint.read('w'))]).toEqual([1, 2, 3, 4]);
  });
});
