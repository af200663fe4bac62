/** A command in a process of its own: its time, and the most memory that it had resident. */
import { spawnSync } from 'node:child_process';
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
export function measured(args: readonly string[], cache: string): Measured {
  const peak = benchFile('scale-peak');
  const output = openSync(benchFile('scale-output'), 'w');
  const program = process.env.PTDPC_MAIN ?? join(packageRoot(), 'dist', 'cli', 'main.js');
  const start = performance.now();
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(REPORT)}`, program, ...args],
    {
      encoding: 'utf8',
      stdio: ['ignore', output, 'pipe'],
      maxBuffer: 2 ** 28,
      env: { ...process.env, PTDPC_CACHE: cache, BENCH_PEAK: peak },
    },
  );
  const seconds = (performance.now() - start) / 1000;
  closeSync(output);
  if (status !== 0) throw new Error(`ptdpc ${args[0]} failed: ${stderr.trim().split('\n').at(-1)}`);
  const used = JSON.parse(readFileSync(peak, 'utf8')) as NodeJS.ResourceUsage;
  rmSync(peak);
  return { seconds, cpu: (used.userCPUTime + used.systemCPUTime) / 1e6, peak: used.maxRSS / 1024 };
}
