/** Times several implementations of one kernel on the same case, in turns, so that a change in the machine's load affects all of them. */

import type { OpenCase } from '../kernels/cases.js';
import {
  type ArgsOf,
  type Backend,
  type Declaration,
  type DeviceBuffer,
  type KernelCase,
  type KernelCost,
  type KernelOutput,
  kernelCost,
  openCase,
  sizedArgs,
} from '../kernels/index.js';

/** One implementation to be timed. */
export interface Contestant<D extends Declaration> {
  readonly name: string;
  readonly device: Backend;
  /** Queues one call. */
  run(args: ArgsOf<D>): void;
}

/** How long one implementation took. */
export interface ContestantTime {
  readonly name: string;
  /** Seconds of a call: the median of the turns, and their quartiles. */
  readonly seconds: number;
  readonly quartiles: readonly [low: number, high: number];
  readonly gflops: number;
  /** Of all operands, each counted once, in GB/s. */
  readonly gbytes: number;
  /** What its first call wrote, to be compared with what others wrote. */
  readonly outputs: readonly KernelOutput[];
}

/** All contestants on one case. */
export interface Timings {
  readonly cost: KernelCost;
  readonly times: readonly ContestantTime[];
}

/** A turn lasts so long at least, where calls are short. */
const TURN_SECONDS = 0.03;
const TURNS = 9;
/** Where calls are long, a contestant has fewer turns rather than take longer than this in all; but one. */
const MOST_SECONDS = 2;

/** What happens, for a progress bar: the first calls of each contestant, then the turns. */
export type OnTiming = (step: 'first calls' | 'timing', done: number, all: number) => void;

/** Times the contestants. `onStep` is called after each step with the share that is done; an exception from it ends the timing. */
export async function timeContestants<D extends Declaration>(
  test: KernelCase<D>,
  contestants: readonly Contestant<D>[],
  onStep: OnTiming = () => {},
): Promise<Timings> {
  const all: Stopwatch<D>[] = [];
  try {
    for (const contestant of contestants) {
      const stopwatch = new Stopwatch(test, contestant);
      all.push(stopwatch);
      await stopwatch.warm();
      onStep('first calls', all.length, contestants.length);
    }
    const turns = all.reduce((sum, stopwatch) => sum + stopwatch.turns, 0);
    let done = 0;
    for (let round = 0; round < TURNS; round++) {
      for (const stopwatch of all) {
        if (round >= stopwatch.turns) continue;
        await stopwatch.turn();
        onStep('timing', ++done, turns);
      }
    }
    const cost = kernelCost(test.kernel, sizedArgs(test));
    return { cost, times: all.map((stopwatch) => stopwatch.result(cost)) };
  } finally {
    for (const stopwatch of all) stopwatch[Symbol.dispose]();
  }
}

/** One contestant's case in memory, and its samples. */
class Stopwatch<D extends Declaration> implements Disposable {
  turns = TURNS;
  readonly #contestant: Contestant<D>;
  readonly #open: OpenCase<D>;
  /** A read of it waits for everything that was queued before. */
  readonly #fence: DeviceBuffer;
  readonly #samples: number[] = [];
  #calls = 1;
  #outputs: readonly KernelOutput[] = [];

  constructor(test: KernelCase<D>, contestant: Contestant<D>) {
    this.#contestant = contestant;
    this.#open = openCase(contestant.device, test);
    this.#fence = contestant.device.allocate('f32', 1);
  }

  /** The first call compiles, and its outputs are kept, since kernels that update in place continue from them; the second determines the number of calls per turn. */
  async warm(): Promise<void> {
    await this.#time();
    this.#outputs = await this.#open.read();
    const seconds = await this.#time();
    this.#calls = Math.max(1, Math.min(1000, Math.ceil(TURN_SECONDS / seconds)));
    if (this.#calls === 1) this.#samples.push(seconds);
    this.turns = Math.min(TURNS, Math.max(1, Math.floor(MOST_SECONDS / (seconds * this.#calls))));
  }

  async turn(): Promise<void> {
    this.#samples.push(await this.#time());
  }

  result(cost: KernelCost): ContestantTime {
    const sorted = this.#samples.sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
    const seconds = at(0.5);
    return {
      name: this.#contestant.name,
      seconds,
      quartiles: [at(0.25), at(0.75)],
      gflops: cost.flops / seconds / 1e9,
      gbytes: cost.bytes / seconds / 1e9,
      outputs: this.#outputs,
    };
  }

  [Symbol.dispose](): void {
    this.#open[Symbol.dispose]();
    this.#contestant.device.free(this.#fence);
  }

  /** Seconds of a call. */
  async #time(): Promise<number> {
    const { device, run } = this.#contestant;
    const start = performance.now();
    for (let call = 0; call < this.#calls; call++) run(this.#open.args);
    await device.read(this.#fence);
    return (performance.now() - start) / 1000 / this.#calls;
  }
}
