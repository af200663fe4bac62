/** The bounds on what a checkpoint file can make us allocate or do, each just beyond it. */
import { expect, test } from 'vitest';
import { type ByteSource, bytesSource } from '../../../src/clip/checkpoint/byte-source.js';
import { OP } from '../../../src/clip/checkpoint/pickle-reader.js';
import { MAX_HEADER_BYTES, openSafetensors } from '../../../src/clip/checkpoint/safetensors.js';
import { openTorch } from '../../../src/clip/checkpoint/torch.js';
import { MAX_ENTRIES, MAX_INFLATED_BYTES, openZip } from '../../../src/clip/checkpoint/zip.js';
import { concat, expectInputError, littleEndian, rawSafetensors } from './support.js';
import { buildZip } from './zip-builder.js';

/** `times` copies of `bytes`. */
function repeated(bytes: Uint8Array, times: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes.length * times);
  for (let i = 0; i < times; i++) out.set(bytes, i * bytes.length);
  return out;
}

const text = (value: string) => concat(OP.SHORT_BINUNICODE, value.length, value);

const openPickle = (...parts: readonly (number | string | Uint8Array)[]) =>
  openTorch(bytesSource('x.pt', buildZip([{ name: 'a/data.pkl', data: concat(OP.PROTO, 2, ...parts, OP.STOP) }])));

test('a safetensors header over the limit is not read, even where the file is large enough', async () => {
  const reads: number[] = [];
  const source: ByteSource = {
    name: 'large.safetensors',
    size: 2 ** 32,
    read: async (_, length) => {
      reads.push(length);
      return new Uint8Array(littleEndian(MAX_HEADER_BYTES + 1, 8));
    },
  };
  await expectInputError(openSafetensors(source), /the safetensors header claims 16777217 bytes/);
  expect(reads).toEqual([8]);
});

test('headers nested deeper than the stack are refused by tensor', async () => {
  const deep = `${'['.repeat(100_000)}1${']'.repeat(100_000)}`;
  for (const header of [`{"t":{"dtype":${deep}}}`, `{"t":{"dtype":"F32","shape":[${deep}],"data_offsets":[0,4]}}`]) {
    await expectInputError(
      openSafetensors(bytesSource('deep', rawSafetensors(header, 4))),
      /deep: tensor "t": .*cannot be shown/,
    );
  }
});

test('an archive of too many entries, and an entry that inflates to too much, cost nothing', async () => {
  const entry = concat('PK', 1, 2, new Uint8Array(42));
  const directory = repeated(entry, MAX_ENTRIES + 1);
  const zip64 = concat('PK', 6, 6, littleEndian(44, 8), new Uint8Array(20), littleEndian(MAX_ENTRIES + 1, 8));
  const end64 = concat(zip64, littleEndian(directory.length, 8), littleEndian(0, 8));
  const locator = concat('PK', 6, 7, new Uint8Array(4), littleEndian(directory.length, 8), littleEndian(1, 4));
  const end = concat('PK', 5, 6, new Uint8Array(4), new Uint8Array(12).fill(255), 0, 0);
  const many = concat(directory, end64, locator, end);
  await expectInputError(
    openZip(bytesSource('many', many)),
    /many: 200001 archive entries are over the limit of 200000/,
  );

  // Random bytes do not deflate, so the claimed size is possible for as many of them.
  const noise = Uint8Array.from({ length: 1_100_000 }, (_, i) => Math.imul(i, 2654435761) >>> 13);
  const claim = { size: MAX_INFLATED_BYTES + 1, compressedSize: noise.length, method: 8 };
  const bomb = await openZip(bytesSource('bomb', buildZip([{ name: 'a', data: noise, claim }])));
  await expectInputError(bomb.read('a'), /entry "a" inflates to 1073741825 bytes, over the limit of 1073741824/);
});

test('one memoised tensor is not made a hundred thousand times', async () => {
  const storage = concat(
    OP.MARK,
    text('storage'),
    OP.GLOBAL,
    'torch\nFloatStorage\n',
    text('0'),
    text('cpu'),
    OP.BININT1,
    4,
    OP.TUPLE,
    OP.BINPERSID,
  );
  const args = concat(OP.MARK, storage, OP.BININT1, 0, OP.BININT1, 4, OP.TUPLE1, OP.BININT1, 1, OP.TUPLE1, OP.TUPLE);
  const rebuild = concat(
    OP.GLOBAL,
    'torch._utils\n_rebuild_tensor_v2\n',
    OP.BINPUT,
    0,
    OP.POP,
    args,
    OP.BINPUT,
    1,
    OP.POP,
  );
  const again = repeated(concat(OP.BINGET, 0, OP.BINGET, 1, OP.REDUCE, OP.POP), 100_001);
  await expectInputError(openPickle(rebuild, again, OP.EMPTY_DICT), /x\.pt: it has more than 100000 tensors/);
});

test('a module tree that its memo has folded is not unfolded without end', async () => {
  const module = concat(OP.GLOBAL, '__torch__.A\nB\n', OP.EMPTY_TUPLE, OP.NEWOBJ);
  const child = (name: string) => concat(text(name), OP.BINGET, 1);
  const level = concat(
    OP.BINPUT,
    1,
    OP.POP,
    module,
    OP.EMPTY_DICT,
    OP.MARK,
    child('a'),
    child('b'),
    OP.SETITEMS,
    OP.BUILD,
  );
  await expectInputError(openPickle(module, repeated(level, 60)), /x\.pt: its module tree is impossibly large/);
});

test('entry names that point elsewhere are only names', async () => {
  const names = ['../../outside', '/etc/passwd', 'C:\\outside'];
  const archive = await openZip(bytesSource('z', buildZip(names.map((name) => ({ name, data: 'x' })))));
  expect(archive.names()).toEqual(names);
  await expectInputError(openTorch(bytesSource('z', buildZip([{ name: '../data.pkl', data: '' }]))), /^z: /);
});
