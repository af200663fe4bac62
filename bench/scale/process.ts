/** A command in a process of its own: its time, and the most memory that it had resident. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/node/package.js';
import { benchFile } from '../models.js';

export interface Measured {
  readonly seconds: number;
  /** Of processors, in all threads: on a busy machine it says more than the time. */
  readonly cpu: number;
  /** MiB */
  readonly peak: number;
}

/** What the process does before its program: at its end, it writes down its peak. */
const REPORT = `import { writeFileSync } from 'node:fs';
process.on('exit', () => writeFileSync(process.env.BENCH_PEAK, JSON.stringify(process.resourceUsage())));`;

/** `cache`: the folder of the cache. PTDPC_MAIN names another build of the command line, to compare with. Throws an Error where it fails. */
export async function measured(args: readonly string[], cache: string): Promise<Measured> {
  return await measuredTogether([args], cache);
}

/** Commands at the same time: the time until the last one ends, the time of processors of all, and the largest peak. */
export async function measuredTogether(commands: readonly (readonly string[])[], cache: string): Promise<Measured> {
  const start = performance.now();
  const all = await Promise.all(commands.map((args, i) => usageOf(args, cache, i)));
  return {
    seconds: (performance.now() - start) / 1000,
    cpu: all.reduce((sum, { userCPUTime, systemCPUTime }) => sum + (userCPUTime + systemCPUTime) / 1e6, 0),
    peak: Math.max(...all.map(({ maxRSS }) => maxRSS / 1024)),
  };
}

async function usageOf(args: readonly string[], cache: string, place: number): Promise<NodeJS.ResourceUsage> {
  const peak = benchFile(`scale-peak-${place}`);
  const output = openSync(benchFile(`scale-output-${place}`), 'w');
  const program = process.env.PTDPC_MAIN ?? join(packageRoot(), 'dist', 'cli', 'main.js');
  const child = spawn(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(REPORT)}`, program, ...args],
    { stdio: ['ignore', output, 'pipe'], env: { ...process.env, PTDPC_CACHE: cache, BENCH_PEAK: peak } },
  );
  closeSync(output);
  let said = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-10_000);
  });
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw new Error(`ptdpc ${args[0]} failed: ${said.trim().split('\n').at(-1)}`);
  const used = JSON.parse(readFileSync(peak, 'utf8')) as NodeJS.ResourceUsage;
  rmSync(peak);
  return used;
}
