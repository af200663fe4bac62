import { describe, expect, test } from 'vitest';
import { MAX_PICKLE_BYTES, unpickle } from '../../../src/clip/checkpoint/pickle.js';
import {
  type PickleHost,
  PickleOpaque,
  PickleRecord,
  type PickleValue,
} from '../../../src/clip/checkpoint/pickle-reader.js';
import { torchPickleHost } from '../../../src/clip/checkpoint/torch-pickle.js';
import { concat, expectInputError, littleEndian } from './support.js';

const NO_GLOBALS: PickleHost = { findGlobal: () => undefined, persistentLoad: () => undefined };
const load = (bytes: Uint8Array, host = NO_GLOBALS) => unpickle(bytes, host, 'x.pt');
const torch = (bytes: Uint8Array) => load(bytes, torchPickleHost('x.pt'));
const STOP = '.';
const shortText = (value: string) => concat(0x8c, concat(value).length, value);
const p2 = (...parts: (number | string | Uint8Array)[]) => concat(0x80, 2, ...parts, STOP);
const p4 = (...parts: (number | string | Uint8Array)[]) => concat(0x80, 4, 0x95, new Uint8Array(8), ...parts, STOP);

function repeat(bytes: Uint8Array, times: number): Uint8Array {
  return new Uint8Array(bytes.length * times).map((_, i) => bytes[i % bytes.length]!);
}

describe('values', () => {
  test.each<[string, Uint8Array, PickleValue]>([
    ['None', p2('N'), null],
    ['True', p2(0x88), true],
    ['False', p2(0x89), false],
    ['BININT', p2('J', littleEndian(0xfffffffe, 4)), -2],
    ['BININT1', p2('K', 200), 200],
    ['BININT2', p2('M', littleEndian(60_000, 2)), 60_000],
    ['LONG1 of no bytes', p2(0x8a, 0), 0],
    ['negative LONG1', p2(0x8a, 1, 0xff), -1],
    ['positive LONG1 with a sign byte', p2(0x8a, 2, 0xff, 0), 255],
    ['LONG1 beyond 2^53', p2(0x8a, 9, new Uint8Array(8), 1), 2n ** 64n],
    ['LONG4', p2(0x8b, littleEndian(2, 4), 0, 0x80), -32768],
    ['BINFLOAT', p2('G', 0x3f, 0xf8, 0, 0, 0, 0, 0, 0), 1.5],
    ['BINUNICODE', p2('X', littleEndian(3, 4), 'ä!'), 'ä!'],
    ['SHORT_BINUNICODE', p4(shortText('é')), 'é'],
    ['BINUNICODE8', p4(0x8d, littleEndian(1, 8), 'x'), 'x'],
    ['SHORT_BINSTRING', p2('U', 1, 'x'), 'x'],
    ['bytes', p4('C', 2, 1, 2), new Uint8Array([1, 2])],
    ['bytearray', p4(0x96, littleEndian(2, 8), 1, 2), new Uint8Array([1, 2])],
    ['tuples', p2('K', 1, 0x85, 'K', 2, 0x86, 'N', 'N', 0x87), [[[1], 2], null, null]],
    ['tuple to mark', p2('(', 'K', 1, '(', 't', 't'), [1, []]],
    ['list', p2(']', 'K', 1, 'a', '(', 'K', 2, 'K', 3, 'e'), [1, 2, 3]],
    [
      'dictionary',
      p2('}', 'K', 1, 'N', 's', '(', 'K', 2, 'K', 3, 'u'),
      new Map<PickleValue, PickleValue>([
        [1, null],
        [2, 3],
      ]),
    ],
    ['dictionary to mark', p2('(', 'K', 1, 'K', 2, 'd'), new Map([[1, 2]])],
    ['sets', p4(0x8f, '(', 'K', 1, 0x90, '(', 'K', 1, 'K', 1, 0x91, 0x86), [new Set([1]), new Set([1])]],
    ['memo', p2(']', 'q', 7, 'h', 7, 0x86), [[], []]],
    ['long memo', p2('K', 5, 'r', littleEndian(70_000, 4), '0', 'j', littleEndian(70_000, 4)), 5],
    ['memoize', p4('K', 5, 0x94, '0', 'h', 0), 5],
    ['dup', p2('K', 5, '2', 0x86), [5, 5]],
    ['pop of a mark', p2('K', 5, '(', '0'), 5],
    ['pop to mark', p2('K', 5, '(', 'N', 'N', '1'), 5],
  ])('%s', (_, bytes, expected) => {
    expect(load(bytes)).toEqual(expected);
  });

  test('the memo shares, it does not copy', () => {
    const [a, b] = load(p2(']', 'q', 0, 'h', 0, 0x86)) as [unknown, unknown];
    expect(a).toBe(b);
  });

  test('keys that JavaScript objects treat specially pollute nothing', () => {
    const nested = p2('}', '(', 'X', littleEndian(9, 4), '__proto__', '}', 'U', 8, 'polluted', 0x88, 's', 'u');
    const map = load(nested) as Map<string, Map<string, boolean>>;
    expect(map.get('__proto__')?.get('polluted')).toBe(true);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    const record = torch(p2('c__torch__\nM\n', ')', 0x81, '}', 'U', 9, '__proto__', 'N', 's', 'b')) as PickleRecord;
    expect(record).toBeInstanceOf(PickleRecord);
    expect(record.className).toBe('__torch__.M');
    expect(record.state).toEqual(new Map([['__proto__', null]]));
  });

  test('BUILD on a dictionary is dropped, as for the _metadata of a state_dict', () => {
    expect(torch(p2('ccollections\nOrderedDict\n', ')', 'R', '}', 'b'))).toEqual(new Map());
  });

  test('OrderedDict from pairs, torch.Size, torch.device', () => {
    const pairs = p2('ccollections\nOrderedDict\n', ']', ']', '(', 'K', 1, 'K', 2, 'e', 'a', 0x85, 'R');
    expect(torch(pairs)).toEqual(new Map([[1, 2]]));
    expect(torch(p2('ctorch\nSize\n', '(', 'K', 1, 'K', 2, 't', 0x85, 'R'))).toEqual([1, 2]);
    expect(torch(p2('ctorch\ndevice\n', 'U', 3, 'cpu', 0x85, 'R'))).toBeNull();
  });
});

describe('objects of unknown classes', () => {
  test.each([
    ['torch', 'load'],
    ['torch._utils', '__init__'],
    ['numpy.core.multiarray', '_reconstruct'],
    ['__torch__evil', 'x'],
    ['constructor', 'constructor'],
    ['__proto__', 'x'],
  ])('%s.%s: nothing is run, and what it was given is kept', (module, name) => {
    const madeBy = `${module}.${name}`;
    const object = new PickleOpaque(madeBy, ['id']);
    expect(torch(p2(`c${module}\n${name}\n`, 'U', 2, 'id', 0x85, 'R'))).toEqual(object);
    expect(torch(p4(shortText(module), shortText(name), 0x93, shortText('id'), 0x85, 0x81))).toEqual(object);
  });

  test('items, state and further calls are kept too', () => {
    const made = concat('ca\nB\n', ')', 'R');
    const parts = (bytes: Uint8Array) => (torch(bytes) as PickleOpaque).parts;
    expect(parts(p2(made, 'K', 1, 'a', '(', 'K', 2, 'K', 3, 'e'))).toEqual([[], 1, 2, 3]);
    expect(parts(p2(made, 'K', 1, 'K', 2, 's', '(', 'K', 3, 'N', 'u'))).toEqual([[], 1, 2, 3, null]);
    expect(parts(p4(made, '(', 'K', 1, 0x90))).toEqual([[], 1]);
    expect(parts(p2(made, '}', 'b'))).toEqual([[], new Map()]);
    expect(parts(p2(made, 'K', 1, 0x85, 'R'))).toEqual([new PickleOpaque('a.B', []), [1]]);
    expect(parts(p2(made, 'K', 1, 0x85, 0x81))).toEqual([new PickleOpaque('a.B', []), [1]]);
    expect(parts(p4('ca\nB\n', ')', '}', 0x92))).toEqual([[[], new Map()]]);
  });

  test('a tensor in a type that is not read is one', () => {
    const storage = concat(
      '(',
      'U',
      7,
      'storage',
      'ctorch\nComplexFloatStorage\n',
      'U',
      1,
      '0',
      'U',
      3,
      'cpu',
      'K',
      1,
      't',
      'Q',
    );
    const tensor = concat('ctorch._utils\n_rebuild_tensor_v2\n', '(', storage, 'K', 0, ')', ')', 0x89, '}', 't', 'R');
    expect((torch(p2(tensor)) as PickleOpaque).madeBy).toBe('torch.ComplexFloatStorage');
  });
});

describe('refusals', () => {
  test.each([
    ['os', 'system'],
    ['posix', 'system'],
    ['builtins', 'eval'],
    ['__builtin__', 'exec'],
    ['subprocess', 'Popen'],
    ['importlib', 'import_module'],
    ['os.path', 'join'],
  ])(
    '%s.%s is refused by its full name, by GLOBAL and by STACK_GLOBAL, before anything is called',
    async (module, name) => {
      const named = new RegExp(`^x\\.pt: .*"${module}\\.${name}".*nothing was run`.replaceAll('__', '_+'));
      await expectInputError(() => torch(p2(`c${module}\n${name}\n`, 'U', 2, 'id', 0x85, 'R')), named);
      await expectInputError(() => torch(p4(shortText(module), shortText(name), 0x93, ')', 'R')), named);
    },
  );

  test('a class is no function, and a function no class', async () => {
    await expectInputError(() => torch(p2('ctorch\nFloatStorage\n', ')', 'R')), /"torch\.FloatStorage"/);
    await expectInputError(() => torch(p2('c__torch__\nM\n', ')', 'R')), /"__torch__\.M"/);
    await expectInputError(() => torch(p2('ctorch\nSize\n', ')', 0x81)), /"torch\.Size"/);
    await expectInputError(() => torch(p2('ctorch\nfloat32\n', ')', 'R')), /"torch\.float32"/);
    await expectInputError(() => torch(p2('K', 1, ')', 'R')), /not a function/);
    await expectInputError(() => torch(p2('ctorch\nSize\n', 'N', 'R')), /not a tuple/);
  });

  test.each<[string, Uint8Array, RegExp]>([
    ['empty', concat(), /truncated/],
    ['no STOP', concat(0x80, 2, 'N'), /truncated/],
    ['nothing on the stack at STOP', p2(), /stack/],
    ['POP of nothing', p2('0'), /mark/],
    ['TUPLE2 of one', p2('N', 0x86), /stack/],
    ['SETITEM across a mark', p2('}', 'N', '(', 'N', 's'), /stack/],
    ['TUPLE without mark', p2('t'), /mark/],
    ['APPEND to a number', p2('K', 1, 'N', 'a'), /not a list/],
    ['SETITEMS on a list', p2(']', '(', 'N', 'N', 'u'), /not a dictionary/],
    ['odd SETITEMS', p2('}', '(', 'N', 'u'), /without a value/],
    ['ADDITEMS to a list', p2(']', '(', 'N', 0x90), /not a set/],
    ['BUILD on a number', p2('K', 1, '}', 'b'), /not an object/],
    ['unset memo', p2('h', 3), /memo 3/],
    ['protocol 0', concat('(dp0\n.'), /opcode 0x70/],
    ['protocol 1', concat(0x80, 1, 'N.'), /protocol 1/],
    ['protocol 6', concat(0x80, 6, 'N.'), /protocol 6/],
    ['INST', p2('(', 'ios\nsystem\n'), /opcode 0x69/],
    ['OBJ', p2('(', 'o'), /opcode 0x6f/],
    ['EXT1', p2(0x82, 1), /opcode 0x82/],
    ['NEXT_BUFFER', p2(0x97), /opcode 0x97/],
    ['persistent id as text', p2('P1\n'), /opcode 0x50/],
    ['persistent id that is no storage', p2('K', 1, 'Q'), /not a tensor storage/],
    ['text longer than the file', p2('X', littleEndian(2 ** 31, 4)), /truncated/],
    ['bytes longer than memory', p4(0x8e, littleEndian(2 ** 52, 8)), /truncated/],
    [
      'integer of a million bytes',
      p2(0x8b, littleEndian(1_000_000, 4), new Uint8Array(1_000_000)),
      /integer of 1000000 bytes/,
    ],
    ['text that is not UTF-8', p2('U', 1, 0xff), /UTF-8/],
    ['global without its end', concat(0x80, 2, 'cos'), /truncated/],
  ])('%s', async (_, bytes, pattern) => {
    await expectInputError(() => load(bytes), /^x\.pt: /, pattern);
  });

  test('depth, size and work are bounded', async () => {
    await expectInputError(() => load(new Uint8Array(1_100_000).fill(0x28)), /over the limit of 1000000 opcodes/);
    await expectInputError(() => load(new Uint8Array(1_100_000).fill(0x4e)), /over the limit of 1000000 opcodes/);
    const popping = repeat(concat('N', '0'), 2_000_001);
    await expectInputError(() => load(popping), /limit of 1000000 opcodes/);
    await expectInputError(() => load(new Uint8Array(MAX_PICKLE_BYTES + 1)), /over the limit/);
    // Lists nested 400,000 deep are data like any other; nothing here recurses into them.
    const deep = p2(new Uint8Array(400_000).fill(0x5d), new Uint8Array(399_999).fill(0x61));
    expect(Array.isArray(load(deep))).toBe(true);
  });

  test('turning one long list into dictionaries over and over is stopped', async () => {
    const pair = concat('h', 1);
    const list = concat(
      ']',
      'q',
      2,
      '(',
      new Uint8Array(40_000).map((_, i) => pair[i % 2]!),
      'e',
      '0',
    );
    const again = concat('h', 0, 'h', 3, 'R', '0');
    const repeated = new Uint8Array(200_000 * again.length).map((_, i) => again[i % again.length]!);
    const bytes = concat(
      concat(0x80, 2, 'ccollections\nOrderedDict\n', 'q', 0, '0', 'K', 1, 'K', 2, 0x86, 'q', 1, '0'),
      list,
      concat('h', 2, 0x85, 'q', 3, '0'),
    );
    const all = new Uint8Array(bytes.length + repeated.length);
    all.set(bytes);
    all.set(repeated, bytes.length);
    // All pairs have one key: what is counted is the work, not the items that are left.
    await expectInputError(() => torch(all), /more than 1000000 items/);
  });
});
