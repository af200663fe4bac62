/**
 * Resolves the Python names in a pickle of weights: PyTorch's tensor rebuilders and storages, ordered dictionaries, TorchScript's typed
 * lists, and its module classes as inert records. Other objects that training programs save with the weights (NumPy numbers, paths,
 * options, schedulers) become a `PickleOpaque`; nothing is run. Names that only an attack would use are refused.
 *
 * A tensor in such a pickle is a call `_rebuild_tensor_v2(storage, offset, size, stride, ...)`; its storage is a
 * persistent id `('storage', torch.FloatStorage, key, device, length)`, and its bytes are in the archive entry with that key.
 */
import { InputError } from '../../errors.js';
import { type DType, elementCount, itemBytes } from './dtype.js';
import {
  type PickleGlobal,
  type PickleHost,
  PickleHostValue,
  PickleOpaque,
  PickleRecord,
  type PickleValue,
} from './pickle-reader.js';
import { quoted } from './quoted.js';
import { type StridedTensor, storageSpan } from './strided-tensor.js';

/** A block of elements in the archive, of which tensors are views. */
export class TorchStorage extends PickleHostValue {
  constructor(
    readonly dtype: DType,
    readonly key: string,
    /** Number of elements. */
    readonly length: number,
  ) {
    super();
  }

  /** Length in bytes. */
  get size(): number {
    return this.length * itemBytes(this.dtype);
  }
}

/** A tensor that has not been read yet: a strided view of a storage. */
export class TorchTensor extends PickleHostValue implements StridedTensor {
  constructor(
    readonly storage: TorchStorage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {
    super();
  }

  get dtype(): DType {
    return this.storage.dtype;
  }
}

/** Modules whose functions have side effects, and built-ins that run code. */
const HOSTILE_MODULES: ReadonlySet<string> = new Set(
  'os posix nt subprocess commands pty shutil socket sys runpy importlib webbrowser ctypes code codeop pdb'.split(' '),
);
const HOSTILE_BUILTINS: ReadonlySet<string> = new Set(
  'eval exec execfile compile __import__ open input breakpoint'.split(' '),
);

function isHostile(module: string, name: string): boolean {
  const isBuiltin = module === 'builtins' || module === '__builtin__';
  return isBuiltin ? HOSTILE_BUILTINS.has(name) : HOSTILE_MODULES.has(module.split('.')[0]!);
}

/** A storage class, the second element of a persistent id. */
interface StorageClass extends PickleGlobal {
  readonly dtype: DType;
}

const STORAGE_DTYPES: ReadonlyMap<string, DType> = new Map([
  ['DoubleStorage', 'F64'],
  ['FloatStorage', 'F32'],
  ['HalfStorage', 'F16'],
  ['BFloat16Storage', 'BF16'],
  ['LongStorage', 'I64'],
  ['IntStorage', 'I32'],
  ['ShortStorage', 'I16'],
  ['CharStorage', 'I8'],
  ['ByteStorage', 'U8'],
  ['BoolStorage', 'BOOL'],
] as const);

/** Values that occur next to weights and are kept only by name. */
const INERT_NAMES: ReadonlySet<string> = new Set(
  [
    'float32',
    'float',
    'float16',
    'half',
    'bfloat16',
    'float64',
    'double',
    'int64',
    'int32',
    'int16',
    'int8',
    'uint8',
    'bool',
  ].map((dtype) => `torch.${dtype}`),
);

/** Limit for stride-0 tensors that repeat their storage; without it, a few bytes could demand any amount of memory. */
const MAX_EXPANDED_ELEMENTS = 2 ** 20;

const MAX_DICTIONARY_PAIRS = 1_000_000;

/** With a memoised shape of 64 dimensions, every five bytes of pickle could create a tensor object of a kilobyte. */
const MAX_TENSORS = 100_000;

/** The host for PyTorch's files. `what` names the pickle in errors. */
export function torchPickleHost(what: string): PickleHost {
  let pairsLeft = MAX_DICTIONARY_PAIRS;
  let tensorsLeft = MAX_TENSORS;
  const calls = new Map<string, (args: readonly PickleValue[]) => PickleValue>([
    [
      'torch._utils._rebuild_tensor_v2',
      (args) => {
        if (--tensorsLeft < 0) throw new InputError(`${what}: it has more than ${MAX_TENSORS} tensors`);
        return rebuildTensor(args, what);
      },
    ],
    ['torch._utils._rebuild_parameter', ([tensor]) => tensor ?? null],
    ['torch._utils._rebuild_parameter_with_state', ([tensor]) => tensor ?? null],
    [
      'collections.OrderedDict',
      ([pairs = []]) => {
        if (!Array.isArray(pairs))
          throw new InputError(`${what}: an OrderedDict is made from something that is not a list`);
        // A memoised list could be turned into a dictionary repeatedly, for four bytes each time.
        pairsLeft -= pairs.length;
        if (pairsLeft < 0)
          throw new InputError(`${what}: its dictionaries have more than ${MAX_DICTIONARY_PAIRS} items`);
        return orderedDict(pairs, what);
      },
    ],
    ['collections.defaultdict', () => new Map()],
    ['torch.Size', ([sizes]) => sizes ?? []],
    ['torch.device', () => null],
    // TorchScript tags lists and dictionaries with their element types; the value itself comes first.
    ...['build_intlist', 'build_doublelist', 'build_boollist', 'build_tensorlist', 'restore_type_tag'].map(
      (name) => [`torch.jit._pickle.${name}`, ([value]: readonly PickleValue[]) => value ?? null] as const,
    ),
  ]);
  return {
    findGlobal(module, name) {
      const fullName = `${module}.${name}`;
      const dtype = module === 'torch' || module === 'torch.cuda' ? STORAGE_DTYPES.get(name) : undefined;
      if (dtype) return { kind: 'global', fullName, dtype } satisfies StorageClass;
      const call = calls.get(fullName);
      if (call) return { kind: 'global', fullName, call };
      if (module === '__torch__' || module.startsWith('__torch__.')) {
        return { kind: 'global', fullName, create: () => new PickleRecord(fullName) };
      }
      if (INERT_NAMES.has(fullName)) return { kind: 'global', fullName };
      if (isHostile(module, name)) return undefined;
      const opaque = (args: PickleValue) => new PickleOpaque(fullName, args);
      return { kind: 'global', fullName, call: (args) => opaque([...args]), create: opaque };
    },
    persistentLoad: (id) => loadStorage(id, what),
  };
}

/** Marks tensor data of an unsupported type (complex, quantised, 8-bit floating point). */
export class TorchData extends PickleHostValue {}

function loadStorage(id: PickleValue, what: string): TorchStorage | PickleOpaque | undefined {
  if (!Array.isArray(id) || id[0] !== 'storage') return undefined;
  const [, type, key, , length] = id;
  if (isGlobal(type) && !isStorageClass(type)) return new PickleOpaque(type.fullName, new TorchData());
  if (!isStorageClass(type)) throw new InputError(`${what}: a storage has an unknown type`);
  if (typeof key !== 'string') throw new InputError(`${what}: a storage has a key that is not text`);
  if (!isCount(length)) throw new InputError(`${what}: storage ${quoted(key)} has no valid length`);
  return new TorchStorage(type.dtype, key, length);
}

function rebuildTensor(args: readonly PickleValue[], what: string): TorchTensor | PickleOpaque {
  const [storage, offset, size, stride] = args;
  const unknown = args.find((arg) => arg instanceof PickleOpaque);
  if (unknown) return new PickleOpaque(unknown.madeBy, new TorchData());
  if (!(storage instanceof TorchStorage))
    throw new InputError(`${what}: a tensor is built on something that is not a storage`);
  const where = `${what}: a tensor in storage ${quoted(storage.key)}`;
  if (!isCount(offset) || !isCounts(size) || !isCounts(stride) || size.length !== stride.length) {
    throw new InputError(`${where} has an invalid offset, size or stride`);
  }
  const elements = elementCount(size, where);
  const span = storageSpan(size, stride);
  if (!Number.isSafeInteger(offset + span) || offset + span > storage.length) {
    throw new InputError(`${where} reaches element ${offset + span}, the storage has ${storage.length}`);
  }
  if (elements > Math.max(storage.length, MAX_EXPANDED_ELEMENTS)) {
    throw new InputError(`${where} repeats ${storage.length} elements into ${elements}`);
  }
  // Copied because the pickle may still append to its lists.
  return new TorchTensor(storage, offset, [...size], [...stride]);
}

function orderedDict(pairs: readonly PickleValue[], what: string): Map<PickleValue, PickleValue> {
  const map = new Map<PickleValue, PickleValue>();
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2)
      throw new InputError(`${what}: an OrderedDict has an item that is not a pair`);
    map.set(pair[0]!, pair[1]!);
  }
  return map;
}

function isGlobal(value: PickleValue | undefined): value is PickleGlobal {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'global';
}

function isStorageClass(value: PickleValue | undefined): value is StorageClass {
  return isGlobal(value) && 'dtype' in value;
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isCounts(value: PickleValue | undefined): value is number[] {
  return Array.isArray(value) && value.length <= 64 && value.every(isCount);
}
