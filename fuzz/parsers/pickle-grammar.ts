/** Pickles from a grammar: values as torch.save writes them, and opcodes in an order that nothing writes. */
import { OP } from '../../src/clip/checkpoint/pickle-reader.js';
import { concat, littleEndian } from '../../test/support/bytes.js';
import type { Random } from '../random.js';

type Bytes = Uint8Array<ArrayBuffer>;

const GLOBALS = [
  'torch._utils\n_rebuild_tensor_v2\n',
  'torch._utils\n_rebuild_parameter\n',
  'torch._utils\n_rebuild_parameter_with_state\n',
  'torch\nFloatStorage\n',
  'torch\nHalfStorage\n',
  'torch\nSize\n',
  'torch\nfloat32\n',
  'collections\nOrderedDict\n',
  'torch.jit._pickle\nbuild_intlist\n',
  '__torch__.Model\nBlock\n',
  'torch\nComplexFloatStorage\n',
  'torch._utils\n_rebuild_qtensor\n',
  'numpy.core.multiarray\n_reconstruct\n',
  'argparse\nNamespace\n',
  'collections\ndefaultdict\n',
  '__builtin__\nset\n',
  'os\nsystem\n',
  'builtins\neval\n',
  '__builtin__\n__import__\n',
  'posix\nsystem\n',
];

const text = (value: string): Bytes =>
  concat(OP.BINUNICODE, littleEndian(new TextEncoder().encode(value).length, 4), value);
const integer = (value: number): Bytes => concat(OP.BININT, littleEndian(value >>> 0, 4));
const tuple = (...items: readonly Bytes[]): Bytes => concat(OP.MARK, ...items, OP.TUPLE);
const global = (name: string): Bytes => concat(OP.GLOBAL, name);

/** A whole pickle: a state_dict of a few tensors in storages '0' to '3' of 64 elements each, or something odd. */
export function pickle(random: Random): Bytes {
  const start = concat(OP.PROTO, random.oneIn(20) ? random.below(256) : 2 + random.below(4));
  const body = random.oneIn(3) ? value(random, 4) : stateDict(random);
  const whole = concat(start, body, OP.STOP);
  return random.oneIn(3) ? withStrayOpcodes(whole, random) : whole;
}

function stateDict(random: Random): Bytes {
  const items = Array.from({ length: 1 + random.below(4) }, (_, i) =>
    concat(
      text(random.pick([`layer.${i}`, 'logit_scale', 'visual.proj', 'model', 'optimizer'])),
      random.oneIn(5) ? value(random, 3) : tensor(random),
    ),
  );
  const dictionary = concat(OP.EMPTY_DICT, OP.MARK, ...items, OP.SETITEMS);
  return random.oneIn(2) ? dictionary : concat(OP.EMPTY_DICT, OP.MARK, text('state_dict'), dictionary, OP.SETITEMS);
}

function tensor(random: Random): Bytes {
  const length = random.oneIn(8) ? random.hugeNumber() : 64;
  const storage = concat(
    tuple(
      text('storage'),
      global('torch\nFloatStorage\n'),
      text(String(random.below(5))),
      text('cpu'),
      integer(length),
    ),
    OP.BINPERSID,
  );
  const size = () => integer(random.oneIn(10) ? random.hugeNumber() : random.below(5));
  const sizes = Array.from({ length: random.oneIn(20) ? 70 : random.below(4) }, size);
  const strides = random.oneIn(10) ? [] : sizes.map(size);
  const args = tuple(storage, integer(random.below(8)), tuple(...sizes), tuple(...strides), concat(OP.NEWFALSE));
  return concat(global(GLOBALS[0]!), args, OP.REDUCE);
}

function value(random: Random, depth: number): Bytes {
  const inner = () => value(random, depth - 1);
  const several = () => Array.from({ length: random.below(4) }, inner);
  const plain = [
    () => concat(OP.NONE),
    () => concat(random.pick([OP.NEWTRUE, OP.NEWFALSE, OP.EMPTY_TUPLE, OP.EMPTY_LIST, OP.EMPTY_DICT, OP.EMPTY_SET])),
    () => integer(random.hugeNumber()),
    () => concat(OP.BINFLOAT, random.bytes(8)),
    () => concat(OP.LONG1, 9, random.bytes(9)),
    () => text(random.pick(['', 'storage', '__proto__', 'é\n', 'x'.repeat(300)])),
    () => concat(OP.SHORT_BINBYTES, 3, 'abc'),
    () => global(random.pick(GLOBALS)),
    () => tensor(random),
  ];
  if (depth <= 0) return random.pick(plain)();
  const nested = [
    () => tuple(...several()),
    () => concat(inner(), OP.TUPLE1),
    () => concat(OP.EMPTY_LIST, OP.MARK, ...several(), OP.APPENDS),
    () => concat(OP.EMPTY_DICT, OP.MARK, ...several().flatMap((item) => [text('k'), item]), OP.SETITEMS),
    () => concat(OP.MARK, ...several(), OP.FROZENSET),
    () => concat(global(random.pick(GLOBALS)), tuple(...several()), OP.REDUCE),
    () => concat(global('__torch__.Model\nBlock\n'), OP.EMPTY_TUPLE, OP.NEWOBJ, inner(), OP.BUILD),
    // An object of any class, and all that can be done to it; of an unknown one, all of it is kept.
    () =>
      concat(global(random.pick(GLOBALS)), OP.EMPTY_TUPLE, random.pick([OP.NEWOBJ, OP.REDUCE]), changes(random, inner)),
    () => concat(inner(), OP.BINPUT, random.below(4), OP.BINGET, random.below(4), OP.TUPLE2),
    // A list that holds itself.
    () => concat(OP.EMPTY_LIST, OP.DUP, OP.APPEND),
    () => concat(concat(...Array.from({ length: 1000 }, () => concat(OP.EMPTY_TUPLE))), ...Array(999).fill(OP.TUPLE2)),
  ];
  return random.pick(random.oneIn(2) ? nested : plain)();
}

/** What a pickle does to an object that it has made. */
function changes(random: Random, inner: () => Bytes): Bytes {
  const change = () =>
    random.pick([
      () => concat(inner(), OP.BUILD),
      () => concat(inner(), OP.APPEND),
      () => concat(OP.MARK, inner(), inner(), OP.APPENDS),
      () => concat(text('k'), inner(), OP.SETITEM),
      () => concat(OP.MARK, text('k'), inner(), OP.SETITEMS),
      () => concat(OP.MARK, inner(), OP.ADDITEMS),
      () => concat(OP.DUP, OP.EMPTY_TUPLE, OP.REDUCE),
      // A part of itself.
      () => concat(OP.DUP, OP.APPEND),
    ])();
  return concat(...Array.from({ length: random.below(4) }, change));
}

/** Opcodes, with operands or without, where they do not belong. */
function withStrayOpcodes(bytes: Bytes, random: Random): Bytes {
  let out = bytes;
  for (let strays = random.below(4); strays >= 0; strays--) {
    const at = 2 + random.below(out.length - 2);
    const opcode = random.oneIn(10) ? random.below(256) : random.pick(Object.values(OP));
    const operand = random.bytes(random.pick([0, 0, 1, 2, 4, 8]));
    out = concat(out.subarray(0, at), opcode, operand, out.subarray(at));
  }
  return out;
}
