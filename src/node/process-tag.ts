/**
 * A short name of this process that another one can look up: what locks and temporary files carry, so that those of a process that
 * was killed are known for what they are.
 *
 *     <machine>-<process>-<start>    a1b2c3d4-12345-8f3kq2, of letters, digits and hyphens
 *
 * Process numbers are used again, so the time of the start belongs to the name where the system tells it (Linux).
 */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { errorCode } from './system-error.js';

const PATTERN = '[0-9a-f]{8}-[0-9]+-[0-9a-z]+';
const PARTS = /^([0-9a-f]{8})-([0-9]+)-([0-9a-z]+)$/;

/** Source of a regular expression that tags match. */
export const TAG_PATTERN = PATTERN;

let own: string | undefined;

/** This process's tag. */
export function processTag(): string {
  own ??= `${machine()}-${process.pid}-${startOf(process.pid) ?? '0'}`;
  return own;
}

/** The process number in a tag; undefined where it is none. */
export function processNumber(tag: string): number | undefined {
  const [, , pid] = PARTS.exec(tag) ?? [];
  return pid === undefined ? undefined : Number(pid);
}

/** Whether the tag is of a process of this machine, which can be looked up. */
export function isOfThisMachine(tag: string): boolean {
  return PARTS.exec(tag)?.[1] === machine();
}

/** True where the tag is a process's of this machine that runs no more. Another machine's cannot be looked up. */
export function isGone(tag: string): boolean {
  const [, where, pid, start] = PARTS.exec(tag) ?? [];
  if (where !== machine()) return false;
  if (!isRunning(Number(pid))) return true;
  const found = startOf(Number(pid));
  return found !== undefined && start !== '0' && found !== start;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: somebody else's process runs too.
    return errorCode(error) !== 'ESRCH';
  }
}

/** The host and, on Linux, its space of process numbers: containers on one host have their own. */
function machine(): string {
  return createHash('sha256')
    .update(`${hostname()} ${attempt(() => readlinkSync('/proc/self/ns/pid')) ?? ''}`)
    .digest('hex')
    .slice(0, 8);
}

/** When a process started: the boot, and ticks since then. Undefined where the system does not say, or there is no such process. */
function startOf(pid: number): string | undefined {
  const boot = attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 4));
  // Field 22 of proc(5)'s stat; the name before it, in parentheses, may hold anything.
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  const ticks = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return boot === undefined || ticks === undefined ? undefined : `${boot}${Number(ticks).toString(36)}`;
}

function attempt<T>(body: () => T): T | undefined {
  try {
    return body();
  } catch {
    return undefined;
  }
}
