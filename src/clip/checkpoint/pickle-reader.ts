/** The unpickler's cursor (each read of an operand is bounds-checked), opcodes and values. */
import { InputError } from '../../errors.js';

const MAX_INTEGER_BYTES = 64;

export class PickleReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;
  readonly #text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #at = 0;

  /** `what` names the pickle in errors. */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
  }

  /** Offset of the next byte. */
  get position(): number {
    return this.#at;
  }

  uint8(): number {
    return this.#bytes[this.skip(1)]!;
  }

  uint16(): number {
    return this.#view.getUint16(this.skip(2), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.skip(4), true);
  }

  int32(): number {
    return this.#view.getInt32(this.skip(4), true);
  }

  /** A length. Inexact beyond 2^53, but no file is that long. */
  uint64(): number {
    return Number(this.#view.getBigUint64(this.skip(8), true));
  }

  /** The only big-endian operand. */
  float64(): number {
    return this.#view.getFloat64(this.skip(8), false);
  }

  /** A two's-complement integer of `length` bytes, as a number if that is exact, else as a bigint. */
  integer(length: number): number | bigint {
    if (length > MAX_INTEGER_BYTES) throw this.error(`holds an integer of ${length} bytes`);
    const start = this.skip(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[start + i]!);
    value = BigInt.asIntN(8 * length, value);
    const exact = Number(value);
    return Number.isSafeInteger(exact) ? exact : value;
  }

  bytes(length: number): Uint8Array {
    const start = this.skip(length);
    return this.#bytes.slice(start, start + length);
  }

  string(length: number): string {
    const start = this.skip(length);
    return this.#decode(start, start + length);
  }

  /** Text up to a line feed: the two operands of GLOBAL. */
  line(): string {
    const start = this.#at;
    const end = this.#bytes.indexOf(10, start);
    if (end < 0) throw this.error('ends in the middle of a name (truncated?)');
    this.#at = end + 1;
    return this.#decode(start, end);
  }

  /** Moves past `count` bytes and returns where they began. */
  skip(count: number): number {
    const start = this.#at;
    if (count > this.#bytes.length - start) throw this.error('ends in the middle of an opcode (truncated?)');
    this.#at = start + count;
    return start;
  }

  error(problem: string): InputError {
    return new InputError(`${this.#what}: the pickle ${problem}`);
  }

  #decode(start: number, end: number): string {
    try {
      return this.#text.decode(this.#bytes.subarray(start, end));
    } catch {
      throw this.error(`holds text at byte ${start} that is not UTF-8`);
    }
  }
}

/** The opcodes that `torch.save` and TorchScript emit, and related ones. */
export const OP = {
  MARK: 0x28,
  EMPTY_TUPLE: 0x29,
  STOP: 0x2e,
  POP: 0x30,
  POP_MARK: 0x31,
  DUP: 0x32,
  BINBYTES: 0x42,
  SHORT_BINBYTES: 0x43,
  BINFLOAT: 0x47,
  BININT: 0x4a,
  BININT1: 0x4b,
  BININT2: 0x4d,
  NONE: 0x4e,
  BINPERSID: 0x51,
  REDUCE: 0x52,
  BINSTRING: 0x54,
  SHORT_BINSTRING: 0x55,
  BINUNICODE: 0x58,
  EMPTY_LIST: 0x5d,
  APPEND: 0x61,
  BUILD: 0x62,
  GLOBAL: 0x63,
  DICT: 0x64,
  APPENDS: 0x65,
  BINGET: 0x68,
  LONG_BINGET: 0x6a,
  LIST: 0x6c,
  BINPUT: 0x71,
  LONG_BINPUT: 0x72,
  SETITEM: 0x73,
  TUPLE: 0x74,
  SETITEMS: 0x75,
  EMPTY_DICT: 0x7d,
  PROTO: 0x80,
  NEWOBJ: 0x81,
  TUPLE1: 0x85,
  TUPLE2: 0x86,
  TUPLE3: 0x87,
  NEWTRUE: 0x88,
  NEWFALSE: 0x89,
  LONG1: 0x8a,
  LONG4: 0x8b,
  SHORT_BINUNICODE: 0x8c,
  BINUNICODE8: 0x8d,
  BINBYTES8: 0x8e,
  EMPTY_SET: 0x8f,
  ADDITEMS: 0x90,
  FROZENSET: 0x91,
  NEWOBJ_EX: 0x92,
  STACK_GLOBAL: 0x93,
  MEMOIZE: 0x94,
  FRAME: 0x95,
  BYTEARRAY8: 0x96,
} as const;

// Unpickled values, and the host that decides which names a pickle may use. Lists and tuples become arrays, dictionaries
// Maps, text strings; classes and functions are represented by name, instances by inert records.

/** A Python class or function: its name, and the results of calling and instantiating it if the host allows that. */
export interface PickleGlobal {
  readonly kind: 'global';
  /** Dotted, as in `torch._utils._rebuild_tensor_v2`. */
  readonly fullName: string;
  /** Result of REDUCE; absent if calls are refused. */
  readonly call?: (args: readonly PickleValue[]) => PickleValue;
  /** Result of NEWOBJ; absent if instances are refused. */
  readonly create?: (args: PickleValue) => PickleValue;
}

/** An instance of a class known only by name. Holds the pickled state; runs nothing. */
export class PickleRecord {
  state: PickleValue = null;
  constructor(readonly className: string) {}
}

/**
 * Placeholder for the result of an unknown class or function, which was not run. `parts` holds all of its arguments, to tell whether
 * they include tensors.
 */
export class PickleOpaque {
  readonly kind = 'opaque';
  readonly parts: PickleValue[];

  constructor(
    /** Dotted name of the class or function. */
    readonly madeBy: string,
    ...parts: PickleValue[]
  ) {
    this.parts = parts;
  }
}

/** Base class of values that a host creates in `call` or `persistentLoad`. */
export abstract class PickleHostValue {
  readonly kind = 'host';
}

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Set<PickleValue>
  | Map<PickleValue, PickleValue>
  | PickleGlobal
  | PickleRecord
  | PickleOpaque
  | PickleHostValue;

/** Resolves what a pickle refers to. Both methods return undefined or throw `InputError` for anything they do not accept. */
export interface PickleHost {
  findGlobal(module: string, name: string): PickleGlobal | undefined;
  persistentLoad(id: PickleValue): PickleValue | undefined;
}
