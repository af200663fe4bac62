/** How things are timed: everything that is compared takes turns, round after round, and the median round counts. */

/** One thing that is timed. */
export interface Contender {
  readonly name: string;
  /** Does the work for a while and returns its rate. */
  sample(): Promise<number> | number;
}

export interface Statistics {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/**
 * Rates of all contenders. They take turns, so that a machine that gets slower (heat, other programs) gets slower for all of
 * them. One whose sample throws is left out from then on, and `onFailure` hears why.
 */
export async function takeTurns(
  contenders: readonly Contender[],
  rounds: number,
  onFailure: (contender: Contender, error: unknown) => void,
): Promise<Map<Contender, Statistics>> {
  const samples = new Map<Contender, number[]>();
  const failed = new Set<Contender>();
  for (let round = 0; round < rounds; round++) {
    for (const contender of contenders) {
      if (failed.has(contender)) continue;
      try {
        const rate = await contender.sample();
        samples.set(contender, [...(samples.get(contender) ?? []), rate]);
      } catch (error) {
        failed.add(contender);
        onFailure(contender, error);
      }
    }
  }
  return new Map([...samples].map(([contender, rates]) => [contender, statistics(rates)]));
}

export function statistics(samples: readonly number[]): Statistics {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, least: sorted[0]!, most: sorted.at(-1)! };
}

/**
 * A sampler for work of which one run is short: `run(times)` does it `times` over and resolves when all is finished. The first call
 * runs it once unmeasured (compiling, filling caches) to learn how often it fits into `seconds`. Gives `amount` per second.
 */
export function sampler(run: (times: number) => Promise<void>, amount: number, seconds: number): () => Promise<number> {
  let times = 0;
  const timed = async (count: number) => {
    const start = performance.now();
    await run(count);
    return (performance.now() - start) / 1000;
  };
  return async () => {
    if (times === 0) times = Math.ceil(seconds / (await timed(1)));
    return (amount * times) / (await timed(times));
  };
}
