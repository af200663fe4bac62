/**
 * A lock that one process holds at a time, on one machine or on several that share a folder: a file that is created exclusively, and
 * rewritten every few seconds by a separate thread for as long as it is held.
 *
 *     {"id":"6f1c…","tag":"a1b2c3d4-12345-8f3kq2","host":"node7","beats":12}
 *
 * A process of this machine that has ended is recognised by its tag at once. Processes of other machines cannot be looked up: their lock
 * counts as dead when it has not changed for a minute and a half. Whatever else is found in its place is refused, never waited for.
 */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { InputError, printable } from '../errors.js';
import { openPlainFile } from './own-files.js';
import { isGone, isOfThisMachine, processNumber, processTag, removeLeftBehind, temporaryPath } from './process-tag.js';
import { errorCode, explained } from './system-error.js';

export interface LockTiming {
  /** Milliseconds between signs of life. */
  beat: number;
  /** A lock without one for so long is dead. Well above the time for which network file systems keep what they read. */
  dead: number;
}

const TIMING: LockTiming = { beat: 5_000, dead: 90_000 };

/** A lock takes about 150 bytes. */
const MAX_LOCK_BYTES = 65_536;

/** A lock that comes and goes so often is not waited for any longer; 10 ms lie between attempts. */
const MOST_ATTEMPTS = 500;

/** What a lock's file says. */
interface Holder {
  id: string;
  tag: string;
  host: string;
  beats: number;
}

/** A lock that is ours until it is disposed. */
export interface Lock extends AsyncDisposable {
  /** Whether another process took it for dead and has it now, as may happen while this machine is suspended. */
  isTakenOver(): Promise<boolean>;
}

export interface LockOptions {
  /** Names what is locked, in messages. */
  readonly what: string;
  readonly timing?: LockTiming | undefined;
  /** Called if it takes time to find out whether the holder lives. */
  readonly say?: ((message: string) => void) | undefined;
}

/** Takes the lock `path`. Throws InputError as soon as its holder is known to live, and if the file is something else. */
export async function takeLock(path: string, options: LockOptions): Promise<Lock> {
  const lock = await lockUnlessAlive(path, options);
  if (typeof lock !== 'string') return lock;
  throw new InputError(
    `${options.what}: ${whose(lock)} is writing it; wait for its end, or delete ${path} if it has ended`,
  );
}

/** Takes the lock, or returns undefined if a process holds it that may be alive. */
export async function tryLock(path: string, options: LockOptions): Promise<Lock | undefined> {
  const lock = await acquire(path, options, 'none');
  return typeof lock === 'string' ? undefined : lock;
}

/** Takes the lock, or returns the content of its file as soon as the holder is known to live. */
export async function lockUnlessAlive(path: string, options: LockOptions): Promise<Lock | string> {
  return await acquire(path, options, 'until it is known to live');
}

/** Takes the lock, waiting as long as its holder lives. */
export async function waitForLock(path: string, options: LockOptions): Promise<Lock> {
  return (await acquire(path, options, 'until it ends')) as Lock;
}

/** How long another holder is waited for. */
type Patience = 'none' | 'until it is known to live' | 'until it ends';

/** The lock, or what its file says where it is left to its holder. */
async function acquire(path: string, options: LockOptions, patience: Patience): Promise<Lock | string> {
  const { what, timing = TIMING, say } = options;
  let seen: { text: string; at: number } | undefined;
  for (let attempts = 0; attempts < MOST_ATTEMPTS; ) {
    const lock = await create(path, what, timing);
    if (lock) return lock;
    const text = await read(path);
    const state = text === undefined ? 'gone' : stateOf(text);
    if (text === undefined || state === 'dead') {
      if (text !== undefined) await remove(path, text, what);
      attempts++;
      await sleep(attempts === 1 ? 0 : 10);
      continue;
    }
    if (patience === 'none' || (state === 'alive' && patience !== 'until it ends')) return text;
    if (seen?.text === text) {
      if (state !== 'alive' && performance.now() - seen.at > timing.dead) await remove(path, text, what);
    } else {
      // The file changes, so its holder is alive.
      if (seen && patience !== 'until it ends') return text;
      if (!seen && state === 'unknown')
        say?.(`${what}: ${whose(text)} has locked it; waiting ${timing.dead / 1000} s at most for a sign of life`);
      seen = { text, at: performance.now() };
    }
    await sleep(Math.min(1000, timing.beat));
  }
  throw new InputError(`${what}: ${path} appears and disappears, so it cannot be locked; try again`);
}

/** Whether the process that wrote a lock runs. */
function stateOf(text: string): 'alive' | 'dead' | 'unknown' {
  const holder = parse(text);
  // Earlier versions wrote the tag alone, and did not rewrite it.
  const tag = holder?.tag ?? text;
  if (isGone(tag)) return 'dead';
  if (holder === undefined) return processNumber(text) === undefined ? 'unknown' : 'alive';
  if (tag === processTag()) return held.has(holder.id) ? 'alive' : 'dead';
  return isOfThisMachine(tag) ? 'alive' : 'unknown';
}

function whose(text: string): string {
  const holder = parse(text);
  const pid = processNumber(holder?.tag ?? text);
  if (pid === undefined) return 'another process';
  return holder && !isOfThisMachine(holder.tag)
    ? `process ${pid} on ${printable(holder.host.slice(0, 80))}`
    : `process ${pid}`;
}

function parse(text: string): Holder | undefined {
  try {
    const { id, tag, host, beats } = JSON.parse(text) as Partial<Record<keyof Holder, unknown>>;
    const isHolder = typeof id === 'string' && typeof tag === 'string' && typeof host === 'string';
    return isHolder && processNumber(tag) !== undefined ? { id, tag, host, beats: Number(beats) } : undefined;
  } catch {
    return undefined;
  }
}

/** Locks of this very process. */
const held = new Set<string>();

/** Undefined if there is something at `path`. */
async function create(path: string, what: string, timing: LockTiming): Promise<Lock | undefined> {
  const holder: Holder = { id: randomUUID(), tag: processTag(), host: hostname(), beats: 0 };
  let file: FileHandle | undefined;
  try {
    held.add(holder.id);
    file = await open(path, 'wx');
    await file.write(JSON.stringify(holder), 0);
  } catch (error) {
    held.delete(holder.id);
    await file?.close();
    if (errorCode(error) === 'EEXIST') return undefined;
    // On a full disk there is room for the name alone, which would look like a lock.
    if (file) await rm(path, { force: true }).catch(() => {});
    throw new InputError(`${what}: cannot be written (${explained(error)})`);
  }
  const { fd } = file;
  // A process that was killed while it took over a dead lock had put that aside.
  await removeLeftBehind(dirname(path), basename(path));
  const heart = startHeartbeat({ path, fd, holder, beat: timing.beat });
  const found = async () => await read(path).catch(() => undefined);
  return {
    isTakenOver: async () => {
      const text = await found();
      return text !== undefined && parse(text)?.id !== holder.id;
    },
    [Symbol.asyncDispose]: async () => {
      await heart.terminate();
      await file.close();
      if (parse((await found()) ?? '')?.id === holder.id) await rm(path, { force: true }).catch(() => {});
      held.delete(holder.id);
    },
  };
}

/**
 * A thread that rewrites the lock's file, however long the main thread computes without a pause: by its descriptor `fd`, never by its
 * name, where there may be something else by now. It stops if the file is no longer at `path`. It does not keep the process alive.
 */
function startHeartbeat(job: { path: string; fd: number; holder: Holder; beat: number }): Worker {
  const source = `
    const { fstatSync, lstatSync, writeSync } = require('node:fs');
    const { path, fd, holder, beat } = require('node:worker_threads').workerData;
    const timer = setInterval(() => {
      try {
        const [own, there] = [fstatSync(fd), lstatSync(path)];
        if (own.ino !== there.ino || own.dev !== there.dev) return clearInterval(timer);
        holder.beats++;
        writeSync(fd, JSON.stringify(holder), 0);
      } catch {
        // Deleted, or out of reach for a moment: the next beat will tell.
      }
    }, beat);`;
  const worker = new Worker(source, { eval: true, workerData: job });
  // Without a heart the lock only looks dead sooner.
  worker.on('error', () => {});
  worker.unref();
  return worker;
}

/** A lock's content; undefined if there is none. Throws InputError if there is something else. */
async function read(path: string): Promise<string | undefined> {
  try {
    await using file = await openPlainFile(path, 'a lock', MAX_LOCK_BYTES);
    return await file.readFile('utf8');
  } catch (error) {
    if (error instanceof InputError) throw error;
    if (errorCode(error) === 'ENOENT') return undefined;
    throw new InputError(`${path}: cannot be read (${explained(error)})`);
  }
}

/**
 * Removes a dead lock that says `text`. Two processes may find the same one: what is removed must be it, and not the new lock of the
 * first of them.
 */
async function remove(path: string, text: string, what: string): Promise<void> {
  const aside = temporaryPath(path);
  try {
    await rename(path, aside);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw new InputError(
      `${what}: ${path} was left by a process that has ended, and cannot be removed (${explained(error)})`,
    );
  }
  if ((await read(aside).catch(() => text)) === text) await rm(aside, { force: true });
  else await rename(aside, path).catch(() => {});
}
