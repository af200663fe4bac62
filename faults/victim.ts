/** One call of the command, in a process group of its own, which is killed at a moment. */
import { spawn } from 'node:child_process';
import { type FSWatcher, watch } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** When to kill: so long after the start, or after the n-th time that a name comes or goes in the working directory. */
export type Moment =
  | { readonly kind: 'time'; readonly milliseconds: number }
  | { readonly kind: 'change'; readonly number: number; readonly milliseconds: number };

export interface Call {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly folder: string;
}

export interface End {
  readonly killed: boolean;
  readonly code: number | null;
  /** What it said, for a report. */
  readonly stderr: string;
  readonly milliseconds: number;
  /** How often a name came or went. */
  readonly changes: number;
}

/** Longer than any of these commands takes on a busy machine: one that hangs is a failure. */
const LONGEST = 120_000;

/** Runs the command to its end, or to the moment. */
export async function call({ program, args, env, folder }: Call, moment?: Moment): Promise<End> {
  const started = performance.now();
  let changes = 0;
  let killed = false;
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  const kill = () => {
    if (killed || child.exitCode !== null || child.pid === undefined) return;
    // The whole group; gone by itself a moment ago, it is no longer there.
    try {
      killed = process.kill(-child.pid, 'SIGKILL');
    } catch {
      killed = false;
    }
  };
  const watcher: FSWatcher = watch(folder, { recursive: true }, (event) => {
    if (event !== 'rename') return;
    changes++;
    if (moment?.kind === 'change' && changes === moment.number) void sleep(moment.milliseconds).then(kill);
  });
  // A folder that goes while it is being looked at.
  watcher.on('error', () => {});
  const timer = setTimeout(kill, moment?.kind === 'time' ? moment.milliseconds : LONGEST);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve([code, signal]));
  });
  clearTimeout(timer);
  watcher.close();
  const milliseconds = performance.now() - started;
  return { killed: signal === 'SIGKILL', code, stderr, milliseconds, changes };
}
