/** Damage that any format can meet: flipped bits, lost and doubled pieces, and numbers that lie. */
import { concat } from '../test/support/bytes.js';
import type { Random } from './random.js';

type Mutation = (bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;

/** At most so many bytes are inserted, doubled or taken from another input at a time. */
const LONGEST_PIECE = 4096;

const MUTATIONS: readonly Mutation[] = [
  function flipBit(bytes, random) {
    return replaced(bytes, random.place(bytes.length), (byte) => byte ^ (1 << random.below(8)));
  },
  function setByte(bytes, random) {
    const value = random.oneIn(2) ? random.below(256) : random.pick([0, 1, 0x7f, 0x80, 0xff, 0x22, 0x5b, 0x7b]);
    return replaced(bytes, random.place(bytes.length), () => value);
  },
  /** Writes a number where a length, an offset or a count may stand, in either byte order. */
  function lie(bytes, random) {
    const size = random.pick([2, 4, 8]);
    const number = BigInt.asUintN(8 * size, BigInt(random.hugeNumber()));
    const field = Uint8Array.from({ length: size }, (_, i) => Number((number >> BigInt(8 * i)) & 0xffn));
    if (random.oneIn(2)) field.reverse();
    const out = bytes.slice();
    out.set(field.subarray(0, Math.min(size, bytes.length)), Math.min(random.place(bytes.length), bytes.length - size));
    return out;
  },
  function truncate(bytes, random) {
    return bytes.subarray(0, random.place(bytes.length));
  },
  function loseStart(bytes, random) {
    return bytes.subarray(random.place(bytes.length));
  },
  function remove(bytes, random) {
    const { start, end } = piece(bytes, random);
    return concat(bytes.subarray(0, start), bytes.subarray(end));
  },
  function double(bytes, random) {
    const { start, end } = piece(bytes, random);
    return concat(bytes.subarray(0, end), bytes.subarray(start));
  },
  function insert(bytes, random) {
    const at = random.place(bytes.length);
    return concat(bytes.subarray(0, at), random.bytes(1 + random.below(16)), bytes.subarray(at));
  },
  function fill(bytes, random) {
    const { start, end } = piece(bytes, random);
    return bytes.slice().fill(random.pick([0, 0x20, 0xff]), start, end);
  },
  /** A piece of another input of the same format, in the place of a piece of this one. */
  function splice(bytes, random, other) {
    const here = piece(bytes, random);
    const there = piece(other, random);
    return concat(bytes.subarray(0, here.start), other.subarray(there.start, there.end), bytes.subarray(here.end));
  },
];

/** Damages `bytes` in up to three ways; `other` is what splices come from. The input itself stays as it is. */
export function mutate(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array<ArrayBuffer> {
  let out = bytes;
  for (let changes = random.below(3); changes >= 0 && out.length > 8; changes--) {
    out = random.pick(MUTATIONS)(out, random, other);
  }
  return new Uint8Array(out);
}

function replaced(bytes: Uint8Array, at: number, change: (byte: number) => number): Uint8Array {
  const out = bytes.slice();
  out[at] = change(out[at]!);
  return out;
}

function piece(bytes: Uint8Array, random: Random): { start: number; end: number } {
  const start = bytes.length === 0 ? 0 : random.place(bytes.length);
  return { start, end: Math.min(bytes.length, start + 1 + random.below(random.oneIn(4) ? LONGEST_PIECE : 32)) };
}
