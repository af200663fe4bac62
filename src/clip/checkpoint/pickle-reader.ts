/** The cursor of the unpickler: the operands of its opcodes, decoded with a bounds check before each. */
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

  /** A length. Beyond 2^53 it is inexact, but then no file is that long either. */
  uint64(): number {
    return Number(this.#view.getBigUint64(this.skip(8), true));
  }

  /** The one big-endian operand. */
  float64(): number {
    return this.#view.getFloat64(this.skip(8), false);
  }

  /** A two's-complement integer of `length` bytes: a number where that is exact, else a bigint. */
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
