/**
 * Claims on tasks, so that processes on any number of machines that share a folder do not do the same work twice. A claim is a file that
 * is created exclusively and rewritten every few seconds by a thread of its own; a killed process leaves one that stays as it is.
 *
 * No signal handler removes a claim, since that would delay Ctrl-C until the computation pauses: on the same machine a dead process is
 * recognised at once.
 *
 * Results do not depend on claims: a task gives the same result whoever computes it, and its file is written atomically. So where two
 * processes take over the same dead claim at the same moment, the worst is work done twice.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { InputError } from '../../errors.js';
import { makeFolder } from '../make-folder.js';
import { errorCode, explained, kindOfFile, naming } from '../system-error.js';

export interface ClaimTiming {
  /** Milliseconds between signs of life. */
  beat: number;
  /** A claim without one for so long is dead. Well above the time for which network file systems keep what they read. */
  dead: number;
}

/** A claim takes about 200 bytes. */
const MAX_CLAIM_BYTES = 65_536;

const TIMING: ClaimTiming = { beat: 5_000, dead: 90_000 };

/** What a claim's file says. */
interface Holder {
  id: string;
  /** The machine and its process numbers: another one's cannot be looked up. */
  machine: string;
  pid: number;
  beats: number;
}

/** A task that is ours until the claim is disposed. */
export interface Claim extends AsyncDisposable {
  readonly name: string;
}

export class Claims {
  constructor(
    private readonly folder: string,
    private readonly timing: ClaimTiming = TIMING,
  ) {}

  /** Claims a task, or returns undefined where a process holds it that may be alive. */
  async tryClaim(name: string): Promise<Claim | undefined> {
    const path = this.#path(name);
    await naming(this.folder, 'cannot be created', () => makeFolder(this.folder));
    for (;;) {
      const holder: Holder = { id: randomUUID(), machine: thisMachine(), pid: process.pid, beats: 0 };
      if (await create(path, JSON.stringify(holder))) return this.#held(name, path, holder);
      const found = await read(path);
      if (found === undefined) continue;
      if (!knownDead(found)) return undefined;
      await remove(path, found);
    }
  }

  /**
   * Claims a task, waiting as long as its holder shows signs of life. With `leaveToOthers`, returns undefined as soon as it has shown one,
   * or is done.
   */
  async claim(name: string, leaveToOthers: true): Promise<Claim | undefined>;
  async claim(name: string): Promise<Claim>;
  async claim(name: string, leaveToOthers = false): Promise<Claim | undefined> {
    let seen = { text: await read(this.#path(name)), at: performance.now() };
    for (;;) {
      const claim = await this.tryClaim(name);
      if (claim) return claim;
      await sleep(Math.min(1000, this.timing.beat));
      const text = await read(this.#path(name));
      if (text !== seen.text) {
        // It moves, so somebody is there: its file changed, or is gone because the task is done or given up.
        if (leaveToOthers && text !== undefined && seen.text !== undefined) return undefined;
        seen = { text, at: performance.now() };
      } else if (text !== undefined && performance.now() - seen.at > this.timing.dead) {
        await remove(this.#path(name), text);
      }
    }
  }

  #path(name: string): string {
    return join(this.folder, `${name}.json`);
  }

  #held(name: string, path: string, holder: Holder): Claim {
    const heart = startHeart(path, holder, this.timing.beat);
    return {
      name,
      [Symbol.asyncDispose]: async () => {
        await heart.terminate();
        await removeIfOurs(path, holder.id);
      },
    };
  }
}

/** True for a process of this machine that no longer runs, or whose number is now ours. */
function knownDead(text: string): boolean {
  const holder = parse(text);
  if (!holder || holder.machine !== thisMachine()) return false;
  if (holder.pid === process.pid) return !alive.has(holder.id);
  try {
    process.kill(holder.pid, 0);
    return false;
  } catch (error) {
    return errorCode(error) === 'ESRCH';
  }
}

/** Claims of this very process. */
const alive = new Set<string>();

/**
 * A thread that rewrites the claim's file, however long the main thread computes without a pause. It stops where the file is no longer
 * ours. It does not keep the process alive.
 */
function startHeart(path: string, holder: Holder, beat: number): { terminate(): Promise<void> } {
  alive.add(holder.id);
  const source = `
    const { lstatSync, readFileSync, writeFileSync } = require('node:fs');
    const { path, holder, beat } = require('node:worker_threads').workerData;
    const timer = setInterval(() => {
      try {
        if (!lstatSync(path).isFile()) return clearInterval(timer);
        if (JSON.parse(readFileSync(path, 'utf8')).id !== holder.id) return clearInterval(timer);
        holder.beats++;
        writeFileSync(path, JSON.stringify(holder), { flag: 'r+' });
      } catch {
        // Gone for good, or unreadable for a moment: the next beat will see.
      }
    }, beat);`;
  const worker = new Worker(source, { eval: true, workerData: { path, holder, beat } });
  // Without a heart the claim only looks dead sooner.
  worker.on('error', () => {});
  worker.unref();
  return {
    terminate: async () => {
      await worker.terminate();
      alive.delete(holder.id);
    },
  };
}

/** Creates a file of some content; false where there is one. */
async function create(path: string, text: string): Promise<boolean> {
  let made = false;
  try {
    const file = await open(path, 'wx');
    made = true;
    await file.writeFile(text).finally(() => file.close());
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    // On a full disk there is room for the name alone, which would look like a claim.
    if (made) await rm(path, { force: true }).catch(() => {});
    throw new InputError(`${path}: cannot be written (${explained(error)})`);
  }
}

/** A claim's content; undefined where there is none. Throws InputError where there is something else. */
async function read(path: string): Promise<string | undefined> {
  try {
    // Before it is opened: a pipe would wait for someone to write to it.
    const status = await stat(path);
    if (!status.isFile()) throw new InputError(`${path}: expected a claim, found ${kindOfFile(status)}; delete it`);
    if (status.size > MAX_CLAIM_BYTES) {
      throw new InputError(
        `${path}: expected a claim of at most ${MAX_CLAIM_BYTES} bytes, found ${status.size}; delete it`,
      );
    }
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof InputError) throw error;
    if (errorCode(error) === 'ENOENT') return undefined;
    throw new InputError(`${path}: cannot be read (${errorCode(error)})`);
  }
}

/** Takes away a dead claim, unless another process did so already: of two that rename one file, one succeeds. */
async function remove(path: string, text: string): Promise<void> {
  if ((await read(path)) !== text) return;
  const aside = `${path}.${randomUUID().slice(0, 8)}.dead`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  await rm(aside, { force: true });
}

async function removeIfOurs(path: string, id: string): Promise<void> {
  const text = await read(path);
  if (text !== undefined && parse(text)?.id === id) await rm(path, { force: true });
}

function parse(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Holder;
    return typeof holder.id === 'string' && Number.isInteger(holder.pid) ? holder : undefined;
  } catch {
    return undefined;
  }
}

let machine: string | undefined;

/** Host name, start of the system, and process namespace: where all agree, a process number means the same process. */
function thisMachine(): string {
  const part = (get: () => string) => {
    try {
      return get().trim();
    } catch {
      return '';
    }
  };
  machine ??= [
    hostname(),
    part(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    part(() => readlinkSync('/proc/self/ns/pid')),
  ].join(' ');
  return machine;
}
