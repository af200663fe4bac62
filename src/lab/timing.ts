/** Times several implementations of one kernel on the same case, in turns, so that a change in the machine's load affects all of them. */

import type { OpenCase } from '../kernels/cases.js';
import {
  type ArgsOf,
  type Backend,
  type Declaration,
  type KernelCase,
  type KernelCost,
  type KernelOutput,
  kernelCost,
  openCase,
  sizedArgs,
} from '../kernels/index.js';
import { type Clock, Stopwatch } from '../kernels/stopwatch.js';
import { type Duel, duelOf, LEAST_PAIRS } from './duel.js';

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
}

/** All contestants on one case. */
export interface Timings {
  readonly cost: KernelCost;
  readonly times: readonly ContestantTime[];
  /** Whose clock measured: the device's own, or the host's, which counts what it takes to queue a call. */
  readonly clock: Clock;
}

/** A turn lasts so long at least, where calls are short. */
const TURN_SECONDS = 0.03;
const TURNS = 9;
/** Where calls are long, a contestant has fewer turns rather than take longer than this in all; but one. */
const MOST_SECONDS = 2;
/** Pairs of turns in a duel, and seconds that they may take in all; more where the fewest that show anything take longer. */
const PAIRS = 15;
const DUEL_SECONDS = 6;
const LONGEST_DUEL_SECONDS = 30;

/** What happens, for a progress bar: the first calls of each contestant, the turns, the pairs of turns of two of them. */
export type OnTiming = (step: 'first calls' | 'timing' | 'pairs', done: number, all: number) => void;

/** Times the contestants. `onStep` is called after each step with the share that is done; an exception from it ends the timing. */
export async function timeContestants<D extends Declaration>(
  test: KernelCase<D>,
  contestants: readonly Contestant<D>[],
  onStep: OnTiming = () => {},
): Promise<Timings> {
  using race = await Race.start(test, contestants, onStep);
  return await race.run();
}

/** Contestants on one case, each with buffers of its own. Dispose it. */
export class Race<D extends Declaration = Declaration> implements Disposable {
  readonly #test: KernelCase<D>;
  readonly #onStep: OnTiming;
  readonly #runners: Runner<D>[] = [];

  private constructor(test: KernelCase<D>, onStep: OnTiming) {
    this.#test = test;
    this.#onStep = onStep;
  }

  /** Has each contestant make its first calls. */
  static async start<D extends Declaration>(
    test: KernelCase<D>,
    contestants: readonly Contestant<D>[],
    onStep: OnTiming = () => {},
  ): Promise<Race<D>> {
    const race = new Race(test, onStep);
    try {
      for (const contestant of contestants) {
        const runner = new Runner(test, contestant);
        race.#runners.push(runner);
        await runner.warm();
        onStep('first calls', race.#runners.length, contestants.length);
      }
      // Times by two clocks cannot be compared.
      if (race.#clock === 'host') for (const runner of race.#runners) await runner.useHostClock();
      return race;
    } catch (error) {
      race[Symbol.dispose]();
      throw error;
    }
  }

  /** What each contestant's first call wrote. */
  get first(): readonly (readonly KernelOutput[])[] {
    return this.#runners.map(({ first }) => first);
  }

  get #clock(): Clock {
    return this.#runners.some(({ clock }) => clock === 'host') ? 'host' : 'device';
  }

  /** Turns of all. */
  async run(): Promise<Timings> {
    const turns = this.#runners.reduce((sum, runner) => sum + runner.turns, 0);
    let done = 0;
    for (let round = 0; round < TURNS; round++) {
      for (const runner of this.#runners) {
        if (round >= runner.turns) continue;
        await runner.turn();
        this.#onStep('timing', ++done, turns);
      }
    }
    const cost = kernelCost(this.#test.kernel, sizedArgs(this.#test));
    return { cost, times: this.#runners.map((runner) => runner.result(cost)), clock: this.#clock };
  }

  /** Pairs of turns of two contestants; who begins alternates. */
  async duel(own: number, rival: number): Promise<Duel> {
    const [one, other] = [this.#runners[own]!, this.#runners[rival]!];
    const ratios: number[] = [];
    const start = performance.now();
    const goesOn = () => {
      const limit = ratios.length < LEAST_PAIRS ? LONGEST_DUEL_SECONDS : DUEL_SECONDS;
      return ratios.length < PAIRS && performance.now() - start < 1000 * limit;
    };
    while (goesOn()) {
      const first = ratios.length % 2 === 0 ? [one, other] : [other, one];
      const seconds = new Map<Runner<D>, number>();
      for (const runner of first) seconds.set(runner, await runner.time());
      ratios.push(seconds.get(other)! / seconds.get(one)!);
      this.#onStep('pairs', ratios.length, PAIRS);
    }
    return duelOf(other.name, ratios);
  }

  /** What a contestant's buffers hold after all its calls. */
  after(contestant: number): Promise<readonly KernelOutput[]> {
    return this.#runners[contestant]!.read();
  }

  /** Frees its memory. */
  [Symbol.dispose](): void {
    for (const runner of this.#runners) runner[Symbol.dispose]();
  }
}

/** One contestant's case in memory, and its samples. */
class Runner<D extends Declaration> implements Disposable {
  turns = TURNS;
  first: readonly KernelOutput[] = [];
  readonly #contestant: Contestant<D>;
  readonly #open: OpenCase<D>;
  readonly #stopwatch: Stopwatch;
  #samples: number[] = [];
  #calls = 1;

  constructor(test: KernelCase<D>, contestant: Contestant<D>) {
    this.#contestant = contestant;
    this.#open = openCase(contestant.device, test);
    this.#stopwatch = new Stopwatch(contestant.device);
  }

  get name(): string {
    return this.#contestant.name;
  }

  get clock(): Clock {
    return this.#stopwatch.clock;
  }

  /** The first call compiles, and its outputs are kept, since kernels that update in place continue from them. */
  async warm(): Promise<void> {
    await this.time();
    this.first = await this.#open.read();
    await this.#chooseCalls();
  }

  async useHostClock(): Promise<void> {
    this.#stopwatch.clock = 'host';
    await this.#chooseCalls();
  }

  async turn(): Promise<void> {
    this.#samples.push(await this.time());
  }

  /** Seconds of a call, as many as a turn has being made. */
  async time(): Promise<number> {
    const { seconds } = await this.#stopwatch.time(() => this.#contestant.run(this.#open.args), this.#calls);
    return seconds;
  }

  read(): Promise<readonly KernelOutput[]> {
    return this.#open.read();
  }

  result(cost: KernelCost): ContestantTime {
    const sorted = this.#samples.sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
    const seconds = at(0.5);
    return {
      name: this.name,
      seconds,
      quartiles: [at(0.25), at(0.75)],
      gflops: cost.flops / seconds / 1e9,
      gbytes: cost.bytes / seconds / 1e9,
    };
  }

  [Symbol.dispose](): void {
    this.#open[Symbol.dispose]();
    this.#stopwatch[Symbol.dispose]();
  }

  /** From one more call, how many calls make a turn, and how many turns there are time for. */
  async #chooseCalls(): Promise<void> {
    this.#calls = 1;
    const seconds = await this.time();
    this.#calls = Math.max(1, Math.min(1000, Math.ceil(TURN_SECONDS / seconds)));
    this.#samples = this.#calls === 1 ? [seconds] : [];
    this.turns = Math.min(TURNS, Math.max(1, Math.floor(MOST_SECONDS / (seconds * this.#calls))));
  }
}
