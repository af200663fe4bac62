/** What the fuzzer asks of a parser: inputs to feed it, and what reading one means. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/node/package.js';
import { mutate } from './mutate.js';
import type { Random } from './random.js';

export interface FuzzedParser {
  readonly name: string;
  /** What it reads, for people. */
  readonly what: string;
  /** Makes what `make` and `read` need; `scratch` is an empty folder of the parser's own. */
  prepare?(scratch: string): Promise<void>;
  /** One input: a damaged file, or one from the format's grammar. Depends on the generator alone. */
  make(random: Random): Uint8Array;
  /** Reads an input as the program would, and what it leads to. Rejects with InputError where the input is bad. */
  read(input: Uint8Array): Promise<void>;
  /** What the message of a rejection must contain: the name of the file. */
  readonly names: string;
  /** The most memory in bytes that reading an input of `length` bytes may take. */
  readonly memory: (length: number) => number;
}

export const MiB = 2 ** 20;

/** A file of test/fixtures. */
export function fixture(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(join(packageRoot(), 'test', 'fixtures', name)));
}

export const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** Half of the inputs as `made`, half of them damaged on top of it. */
export function maybeDamaged(made: Uint8Array, random: Random, other: Uint8Array = made): Uint8Array {
  return random.oneIn(2) ? made : mutate(made, random, other);
}

/** The files in a folder of test/fixtures whose names end so, in order of name. */
export function fixturesIn(folder: string, ending: string): Uint8Array<ArrayBuffer>[] {
  const names = readdirSync(join(packageRoot(), 'test', 'fixtures', folder)).sort();
  return names.filter((name) => name.endsWith(ending)).map((name) => fixture(`${folder}/${name}`));
}

/** Half of the inputs as `made`, half of them cut short. */
export function cutFrom(made: Uint8Array, random: Random): Uint8Array {
  return random.oneIn(2) ? made : made.subarray(0, random.below(made.length + 1));
}
