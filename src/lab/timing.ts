/** Times several implementations of one kernel on the same case, in turns, so that a change of the machine's mood meets all of them. */
import type { Backend, KernelName, Kernels } from '../kernels/index.js';
import { type KernelCost, kernelCost } from '../kernels/index.js';
import { type KernelCase, type KernelOutput, openCase } from './kernel-case.js';

/** One implementation to be timed. */
export interface Contestant<K extends KernelName> {
  readonly name: string;
  readonly device: Backend;
  /** Queues one call. */
  run(args: Kernels[K]): void;
}

export interface ContestantTime {
  readonly name: string;
  /** Seconds of a call: the median of the turns, and their quartiles. */
  readonly seconds: number;
  readonly quartiles: readonly [low: number, high: number];
  readonly gflops: number;
  /** Of all operands, each counted once, in GB/s. */
  readonly gbytes: number;
  /** What it wrote, to be held against what others did. */
  readonly outputs: readonly KernelOutput[];
}

export interface Timings {
  readonly cost: KernelCost;
  readonly times: readonly ContestantTime[];
}

/** A turn lasts so long at least, where calls are short. */
const TURN_SECONDS = 0.03;
const TURNS = 9;
/** Where calls are long, a contestant has fewer turns rather than take longer than this in all; but three. */
const MOST_SECONDS = 3;
const LEAST_TURNS = 3;

/** Times the contestants. `onTurn` hears after each turn how many of all are done. */
export async function timeContestants<K extends KernelName>(
  test: KernelCase<K>,
  contestants: readonly Contestant<K>[],
  onTurn: (done: number, all: number) => void = () => {},
): Promise<Timings> {
  using stack = new DisposableStack();
  const open = contestants.map((contestant) => {
    const { device } = contestant;
    const fence = device.allocate('f32', 1);
    stack.defer(() => device.free(fence));
    return {
      ...contestant,
      fence,
      case: stack.use(openCase(device, test)),
      samples: [] as number[],
      calls: 1,
      turns: TURNS,
    };
  });
  const turn = async ({ device, fence, run, calls, case: { args } }: (typeof open)[number]): Promise<number> => {
    const start = performance.now();
    for (let call = 0; call < calls; call++) run(args);
    // A read of a small buffer waits for everything that was queued before.
    await device.read(fence);
    return (performance.now() - start) / 1000 / calls;
  };
  for (const contestant of open) {
    // The first call may compile; the second says how many make a turn.
    await turn(contestant);
    const seconds = await turn(contestant);
    contestant.calls = Math.max(1, Math.min(1000, Math.ceil(TURN_SECONDS / seconds)));
    contestant.turns = Math.min(TURNS, Math.max(LEAST_TURNS, Math.floor(MOST_SECONDS / (seconds * contestant.calls))));
  }
  const all = open.reduce((sum, { turns }) => sum + turns, 0);
  let done = 0;
  for (let round = 0; round < TURNS; round++) {
    for (const contestant of open) {
      if (round >= contestant.turns) continue;
      contestant.samples.push(await turn(contestant));
      onTurn(++done, all);
    }
  }
  const cost = kernelCost(test.kernel, open[0]!.case.args);
  const times: ContestantTime[] = [];
  for (const { name, samples, case: opened } of open) {
    const sorted = samples.sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
    const seconds = at(0.5);
    times.push({
      name,
      seconds,
      quartiles: [at(0.25), at(0.75)],
      gflops: cost.flops / seconds / 1e9,
      gbytes: cost.bytes / seconds / 1e9,
      outputs: await opened.read(),
    });
  }
  return { cost, times };
}
