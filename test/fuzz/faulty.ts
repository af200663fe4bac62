/** Parsers with known faults, each on one case in its round: what the fuzzer must find. */
import { fileURLToPath } from 'node:url';
import { isMainThread, Worker } from 'node:worker_threads';
import type { FuzzedParser } from '../../fuzz/parser.js';
import { MOST_HEAP_MIB, Threads, watch } from '../../fuzz/watchdog.js';
import { work } from '../../fuzz/worker.js';
import { InputError } from '../../src/errors.js';

/** The case at which each of them fails. */
const BAD = 3;

const kept: unknown[] = [];

/** A parser that reads inputs 0, 1, 2, ... and does `fault` at input `BAD`. */
function faulty(name: string, fault: () => unknown): FuzzedParser {
  let next = 0;
  return {
    name,
    what: 'nothing',
    make: () => Uint8Array.of(next++),
    read: async ([input]) => {
      if (input === BAD) await fault();
      if (input === BAD + 1) throw new InputError('input: as it should be');
    },
    names: 'input',
    memory: () => 2 ** 20,
  };
}

const FAULTS: readonly FuzzedParser[] = [
  faulty('crashes', () => {
    throw new TypeError('x is not a function');
  }),
  faulty('hangs', () => {
    for (;;);
  }),
  faulty('allocates', () => kept.push(new Uint8Array(2 ** 24))),
  faulty('fills the heap', () => {
    for (;;) kept.push(new Array(2 ** 20).fill(0.5));
  }),
  faulty('says nothing', () => {
    throw new InputError('damaged');
  }),
  faulty('says too much', () => {
    throw new InputError(`input: ${'x'.repeat(5000)}`);
  }),
];

if (isMainThread) {
  await using threads = new Threads(
    () => new Worker(fileURLToPath(import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: MOST_HEAP_MIB } }),
  );
  for (const { name } of FAULTS) {
    const result = await watch({ parser: name, seed: 1, first: 0, end: 6 }, threads);
    console.log(JSON.stringify({ parser: name, ...result }));
  }
} else work(FAULTS);
