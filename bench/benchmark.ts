/** What a benchmark is, and how one is run on one device. */
import { type Peer, runPeer } from './peers.js';
import { type Contender, type Statistics, takeTurns } from './sampling.js';
import type { BenchOptions, Ceilings, DeviceName } from './session.js';

export type Unit = 'GFLOP/s' | 'images/s' | 'MiB' | 's' | '';

export interface Benchmark {
  /** By which `--only` selects it. */
  readonly name: string;
  /** What is done, for people. */
  readonly work: string;
  readonly unit: Unit;
  readonly devices: readonly DeviceName[];
  open(device: DeviceName, options: BenchOptions): Promise<Setup>;
  peers(device: DeviceName, options: BenchOptions): readonly Peer[];
}

/** Everything of ours that one benchmark times on one device. */
export interface Setup extends Disposable {
  readonly entries: readonly Entry[];
}

export interface Entry extends Contender {
  /** Threads that compute, which decides the ceiling; 1 on a GPU. */
  readonly threads: number;
  /** Arithmetic behind one unit (a GFLOP, an image), in GFLOP; undefined where arithmetic is not the point. */
  readonly work?: (() => number) | undefined;
  /** More to say about a run, once there was one. */
  readonly notes?: () => string;
}

/** One line of the result. */
export interface Result {
  readonly work: string;
  readonly device: string;
  readonly unit: Unit;
  /** The median round. */
  readonly ours: number;
  /** The fastest peer of those measured in this call or, if none was, of those recorded. */
  readonly peer: number | null;
  readonly peerName: string | null;
  /** ours / peer: above 1 we are faster. */
  readonly ratio: number | null;
  /** What the device's arithmetic alone would allow, in `unit`. */
  readonly ceiling: number | null;
  /** The slowest and the fastest round. */
  readonly spread: readonly [number, number];
  readonly gflops: number | null;
  readonly peers: readonly PeerResult[];
  readonly notes: string;
}

export interface PeerResult {
  readonly name: string;
  readonly value: number;
  /** True: not measured now but taken from what was recorded on another occasion. */
  readonly recorded: boolean;
}

export interface Runner {
  readonly options: BenchOptions;
  readonly ceilings: Ceilings;
  /** What peers measured earlier in this call, by command: one that serves two devices runs once. */
  readonly peerResults: Map<string, Statistics>;
  say(line: string): void;
}

/** Runs a benchmark on a device, peers taking turns with our entries. */
export async function runBenchmark(benchmark: Benchmark, device: DeviceName, runner: Runner): Promise<Result[]> {
  const { options, ceilings, say } = runner;
  const setup = await benchmark.open(device, options);
  let entries: { entry: Entry; statistics: Statistics; gflop: number | undefined; notes: string }[];
  let peers: PeerResult[];
  try {
    const offered = benchmark.peers(device, options);
    const rivals = options.peers ? offered.flatMap((peer) => peerContender(peer, runner)) : [];
    const rates = await takeTurns([...setup.entries, ...rivals], options.rounds, ({ name }, error) =>
      say(`${benchmark.work}, ${name}: left out (${error instanceof Error ? error.message : String(error)})`),
    );
    for (const rival of rivals) {
      const statistics = rates.get(rival);
      if (statistics) runner.peerResults.set(rival.key, statistics);
    }
    peers = offered.flatMap((peer) => peerResult(peer, runner));
    entries = setup.entries.flatMap((entry) => {
      const statistics = rates.get(entry);
      return statistics ? [{ entry, statistics, gflop: entry.work?.(), notes: entry.notes?.() ?? '' }] : [];
    });
  } finally {
    setup[Symbol.dispose]();
  }
  // After the device is closed: a live WebGPU device keeps a core busy.
  const ceiling = new Map<number, number>();
  for (const { entry, gflop } of entries) {
    const { threads } = entry;
    if (gflop !== undefined && !ceiling.has(threads)) ceiling.set(threads, await ceilings.measure(device, threads));
  }
  const best = fastest(peers);
  return entries.map(({ entry, statistics, gflop, notes }) => {
    const { median, least, most } = statistics;
    return {
      work: benchmark.work,
      device: `${device}, ${entry.name}`,
      unit: benchmark.unit,
      ours: median,
      peer: best?.value ?? null,
      peerName: best ? `${best.name}${best.recorded ? ' (recorded)' : ''}` : null,
      ratio: best ? median / best.value : null,
      ceiling: gflop === undefined ? null : ceiling.get(entry.threads)! / gflop,
      spread: [least, most],
      gflops: gflop === undefined ? null : median * gflop,
      peers,
      notes,
    };
  });
}

/** The fastest of those measured now or, where none was, of those recorded. */
function fastest(peers: readonly PeerResult[]): PeerResult | undefined {
  const now = peers.filter(({ recorded }) => !recorded);
  return [...(now.length > 0 ? now : peers)].sort((a, b) => b.value - a.value)[0];
}

/** The peer as a contender, unless it cannot be run here or has had its turns. */
function peerContender(peer: Peer, { peerResults }: Runner): (Contender & { key: string })[] {
  const { command } = peer;
  if (!command) return [];
  const key = command.join(' ');
  return peerResults.has(key) ? [] : [{ name: peer.name, key, sample: () => runPeer(command) }];
}

function peerResult(peer: Peer, { peerResults }: Runner): PeerResult[] {
  const measured = peer.command && peerResults.get(peer.command.join(' '));
  if (measured) return [{ name: peer.name, value: measured.median, recorded: false }];
  return peer.recorded === undefined ? [] : [{ name: peer.name, value: peer.recorded, recorded: true }];
}
