/** Benchmarks that are no turns of contenders: each measures in its own way and gives its rows. */
import type { Result, Unit } from './benchmark.js';
import { statistics } from './sampling.js';
import type { BenchOptions, DeviceName } from './session.js';

export interface StandaloneBenchmark {
  /** By which `--only` selects it. */
  readonly name: string;
  readonly devices: readonly DeviceName[];
  /** `program` is the benchmarks' bundle, for those that need a process of their own. */
  measure(device: DeviceName, options: BenchOptions, program: string): Promise<Result[]>;
}

/** A row. With `peer`, `ratio` is ours / peer. */
export function resultRow(
  ...[work, device, unit, values, more = {}]: [
    work: string,
    device: string,
    unit: Unit,
    values: readonly number[],
    more?: { readonly peer?: readonly [name: string, value: number]; readonly notes?: string },
  ]
): Result {
  const { median, least, most } = statistics(values);
  const { peer, notes = '' } = more;
  return {
    ...{ work, device, unit, ours: median, notes, ceiling: null, gflops: null },
    spread: [least, most],
    peer: peer?.[1] ?? null,
    peerName: peer?.[0] ?? null,
    ratio: peer ? median / peer[1] : null,
    peers: peer ? [{ name: peer[0], value: peer[1], recorded: false }] : [],
  };
}
