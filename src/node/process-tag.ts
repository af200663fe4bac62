/**
 * Marks what a process is writing, so that other processes can tell it from what a killed process left behind. Locks and temporary
 * files carry a tag:
 *
 *     <machine>-<process>-<start>    a1b2c3d4-12345-8f3kq2, of letters, digits and hyphens
 *     .<name>.<tag>.<number>.tmp     a temporary file or directory
 *
 * Process numbers are reused, so the tag includes the start time if the system tells it (Linux).
 */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { removeOwn } from './own-files.js';
import { errorCode } from './system-error.js';

const TAG = /^([0-9a-f]{8})-([0-9]+)-([0-9a-z]+)$/;
const TEMPORARY = /^\.(.+)\.([0-9a-f]{8}-[0-9]+-[0-9a-z]+)\.[0-9]+\.tmp$/;

let own: string | undefined;
let temporaryNames = 0;

/** A new temporary name beside `path`. */
export function temporaryPath(path: string): string {
  const target = resolve(path);
  return join(dirname(target), `.${basename(target)}.${processTag()}.${temporaryNames++}.tmp`);
}

/** Whether a file name is a temporary one. */
export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name);
}

/** Removes what killed processes of this user left in a folder, for one `name` or for all. What cannot be removed stays. */
export async function removeLeftBehind(directory: string, name?: string): Promise<void> {
  const entries = await readdir(directory).catch(() => []);
  for (const entry of entries) {
    const [, of, tag] = TEMPORARY.exec(entry) ?? [];
    if (of === undefined || tag === undefined || (name !== undefined && of !== name) || !isGone(tag)) continue;
    await removeOwn(join(directory, entry));
  }
}

/** This process's tag. */
export function processTag(): string {
  own ??= `${machine()}-${process.pid}-${startIn(statOf(process.pid)) ?? '0'}`;
  return own;
}

/** The process number in a tag; undefined if `tag` is not one. */
export function processNumber(tag: string): number | undefined {
  const [, , pid] = TAG.exec(tag) ?? [];
  return pid === undefined ? undefined : Number(pid);
}

/** Whether a tag belongs to a process of this machine, which can be looked up. */
export function isOfThisMachine(tag: string): boolean {
  return TAG.exec(tag)?.[1] === machine();
}

/** Whether a tag belongs to a process of this machine that has ended. False for other machines, whose processes cannot be looked up. */
export function isGone(tag: string): boolean {
  const [, where, pid, start] = TAG.exec(tag) ?? [];
  if (where !== machine()) return false;
  if (!isRunning(Number(pid))) return true;
  const stat = statOf(Number(pid));
  // A zombie: it has ended, but its parent has not asked for its exit code. In a container, it may never do so.
  if (stat?.[0] === 'Z') return true;
  const found = startIn(stat);
  return found !== undefined && start !== '0' && found !== start;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs as another user.
    return errorCode(error) !== 'ESRCH';
  }
}

/** Identifies the host and, on Linux, the process namespace: containers on one host have their own. */
function machine(): string {
  return createHash('sha256')
    .update(`${hostname()} ${attempt(() => readlinkSync('/proc/self/ns/pid')) ?? ''}`)
    .digest('hex')
    .slice(0, 8);
}

/** When the process of `stat` started: the boot and the ticks since. Undefined if the system does not tell. */
function startIn(stat: readonly string[] | undefined): string | undefined {
  const boot = attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 4));
  const ticks = stat?.[19];
  return boot === undefined || ticks === undefined ? undefined : `${boot}${Number(ticks).toString(36)}`;
}

/** The fields of stat in proc(5) from the third on, the state. The process name before it, in parentheses, may contain anything. */
function statOf(pid: number): string[] | undefined {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function attempt<T>(body: () => T): T | undefined {
  try {
    return body();
  } catch {
    return undefined;
  }
}
