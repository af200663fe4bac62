/** The thread that runs cases, one after the other, while another one watches it (see watchdog.ts). */
import { mkdir } from 'node:fs/promises';
import { parentPort } from 'node:worker_threads';
import { judge } from './judge.js';
import type { FuzzedParser } from './parser.js';
import { Random } from './random.js';

/** Cases `[first, end)` of a parser and seed. */
export interface Assignment {
  readonly parser: string;
  readonly seed: number;
  readonly first: number;
  readonly end: number;
  /** One Int32: the case that is being read, or -1. */
  readonly current: SharedArrayBuffer;
  /** A folder that does not exist yet. */
  readonly scratch: string;
}

/** What the thread sends: a case that failed, or figures of all at the end. */
export type Message =
  | { readonly kind: 'failed'; readonly index: number; readonly problem: string }
  | { readonly kind: 'done'; readonly figures: Figures };

export interface Figures {
  readonly read: number;
  readonly rejected: number;
  /** Of the slowest case, in milliseconds of processor time. */
  readonly slowest: number;
  /** Of the case that took most, in bytes. */
  readonly mostMemory: number;
}

/** Does the assignments that the thread is sent, one after the other, each with one of `parsers`. */
export function work(parsers: readonly FuzzedParser[]): void {
  if (!parentPort) throw new Error('the fuzzer works on a thread');
  const port = parentPort;
  port.on('message', (assignment: Assignment) => {
    // What it throws ends the thread, which the watchdog reports.
    void run(assignment, parsers, (message) => port.postMessage(message));
  });
}

async function run(
  assignment: Assignment,
  parsers: readonly FuzzedParser[],
  send: (message: Message) => void,
): Promise<void> {
  const { seed, first, end, scratch } = assignment;
  const current = new Int32Array(assignment.current);
  const parser = parsers.find(({ name }) => name === assignment.parser);
  if (!parser) throw new Error(`no parser ${assignment.parser} to fuzz here`);
  await mkdir(scratch);
  await parser.prepare?.(scratch);
  const figures = { read: 0, rejected: 0, slowest: 0, mostMemory: 0 };
  for (let index = first; index < end; index++) {
    const input = parser.make(Random.ofCase(parser.name, seed, index));
    Atomics.store(current, 0, index);
    const { outcome, problem, duration, memory } = await judge(parser, input);
    Atomics.store(current, 0, -1);
    if (problem !== undefined) send({ kind: 'failed', index, problem });
    if (outcome !== 'failed') figures[outcome]++;
    figures.slowest = Math.max(figures.slowest, duration);
    figures.mostMemory = Math.max(figures.mostMemory, memory);
  }
  send({ kind: 'done', figures });
}
