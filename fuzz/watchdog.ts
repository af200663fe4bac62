/**
 * Runs the cases of a parser on a thread of their own and watches it: a case that does not end is ended and reported with
 * its input, and so is one that takes the thread down with it or fills the memory. The thread then goes on behind it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import type { Assignment, Figures, Message } from './worker.js';

/** A case that takes the processor for longer hangs. Not by the clock: other programs may be busy. */
export const MOST_MILLISECONDS = 2000;

/** A case that has not ended after so long by the clock waits for something that never comes. */
export const MOST_WAITING_MILLISECONDS = 20_000;

/** Resident memory that a thread may add to the process: its heap, garbage included, and all that it allocates. */
export const MOST_RESIDENT_BYTES = 2 ** 30;

/** Heap of the thread in MiB; beyond it, V8 ends the thread. */
export const MOST_HEAP_MIB = 512;

const POLL_MILLISECONDS = 20;

export interface Failure {
  readonly index: number;
  readonly problem: string;
}

export interface Result extends Figures {
  readonly failures: readonly Failure[];
  /** Growth of the process's resident memory over all cases at its largest, in bytes. */
  readonly mostResident: number;
}

/** Failures after which there is no point in going on. */
const MOST_FAILURES = 20;

interface Round {
  readonly parser: string;
  readonly seed: number;
  readonly first: number;
  readonly end: number;
}

/** Threads that do assignments (see worker.ts): one that has done its own is given the next one. */
export class Threads implements AsyncDisposable {
  #idle: Worker | undefined;

  constructor(private readonly start: () => Worker) {}

  take(): Worker {
    const worker = this.#idle ?? this.start();
    this.#idle = undefined;
    return worker;
  }

  /** Only a thread that is ready for another assignment. */
  give(worker: Worker): void {
    this.#idle = worker;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#idle?.terminate();
  }
}

/** Runs cases `[first, end)`. */
export async function watch(round: Round, threads: Threads): Promise<Result> {
  const failures: Failure[] = [];
  const total = { read: 0, rejected: 0, slowest: 0, mostMemory: 0, mostResident: 0 };
  for (let first = round.first; first < round.end && failures.length < MOST_FAILURES; ) {
    const part = await attempt({ ...round, first }, threads, failures);
    total.read += part.read;
    total.rejected += part.rejected;
    for (const figure of ['slowest', 'mostMemory', 'mostResident'] as const) {
      total[figure] = Math.max(total[figure], part[figure]);
    }
    if (part.stopped === undefined) break;
    failures.push(part.stopped);
    first = part.stopped.index + 1;
  }
  return { ...total, failures };
}

interface Attempt extends Figures {
  readonly mostResident: number;
  /** The case at which the thread ended, if it was not the last one. */
  readonly stopped?: Failure;
}

/** One thread's work, to its end or to a case that ends the thread. */
async function attempt(round: Round, threads: Threads, failures: Failure[]): Promise<Attempt> {
  const folder = await mkdtemp(join(tmpdir(), 'ptdpc-fuzz-'));
  const current = new Int32Array(new SharedArrayBuffer(4)).fill(-1);
  const before = process.memoryUsage.rss();
  const worker = threads.take();
  const assignment = { ...round, current: current.buffer as SharedArrayBuffer, scratch: join(folder, 'scratch') };
  let isReady = false;
  let mostResident = 0;
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Attempt>((resolve, reject) => {
      const end = (figures: Partial<Figures>, stopped?: Attempt['stopped']) =>
        resolve({
          read: 0,
          rejected: 0,
          slowest: 0,
          mostMemory: 0,
          ...figures,
          mostResident,
          ...(stopped && { stopped }),
        });
      worker.on('message', (message: Message) => {
        if (message.kind === 'failed') return failures.push(message);
        isReady = true;
        end(message.figures);
      });
      worker.on('error', (error: NodeJS.ErrnoException) => {
        const index = Atomics.load(current, 0);
        if (index < 0) reject(error);
        else end({}, { index, problem: `the thread ended: ${error.code ?? ''} ${error.message}` });
      });
      let seen = -1;
      let began = 0;
      let processor = process.cpuUsage();
      timer = setInterval(() => {
        const index = Atomics.load(current, 0);
        if (index !== seen) [seen, began, processor] = [index, performance.now(), process.cpuUsage()];
        mostResident = Math.max(mostResident, process.memoryUsage.rss() - before);
        const { user, system } = process.cpuUsage(processor);
        const stop = (problem: string) => end({}, { index, problem });
        if (index < 0) return;
        if (user + system > 1000 * MOST_MILLISECONDS) stop(`still running after ${MOST_MILLISECONDS} ms`);
        else if (performance.now() - began > MOST_WAITING_MILLISECONDS)
          stop(`still waiting after ${MOST_WAITING_MILLISECONDS} ms`);
        else if (mostResident > MOST_RESIDENT_BYTES) stop(`${mostResident} bytes of resident memory`);
      }, POLL_MILLISECONDS);
      worker.postMessage(assignment satisfies Assignment);
    });
  } finally {
    clearInterval(timer);
    worker.removeAllListeners('message').removeAllListeners('error');
    if (isReady) threads.give(worker);
    else await worker.terminate();
    await rm(folder, { recursive: true, force: true });
  }
}
