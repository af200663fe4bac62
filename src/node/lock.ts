/**
 * A lock that one process holds at a time: a file that is created exclusively and holds its process's tag. It goes with the holder's
 * end; one that a killed process left behind is recognised by the tag and taken over.
 */
import { rmSync } from 'node:fs';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../errors.js';
import { onInterrupt } from './interrupt.js';
import { isGone, processNumber, processTag } from './process-tag.js';
import { errorCode, explained } from './system-error.js';
import { removeLeftBehind, temporaryPath } from './temporary-files.js';

/** A holder writes its tag right after it has made the file: one that is empty for so long, in milliseconds, was killed between. */
const EMPTY_FOR = 1000;

/** Locks of this process, which its tag cannot tell apart. */
const held = new Set<string>();

/**
 * Takes the lock `path` until it is disposed. Throws InputError where another process has it, or the file cannot be written; `what`
 * names what is locked.
 */
export async function takeLock(path: string, what: string): Promise<AsyncDisposable> {
  for (let waited = 0; !(await create(path, what)); ) {
    const holder = await readFile(path, 'utf8').catch(() => undefined);
    if (holder === undefined) continue;
    if (holder === '' && waited < EMPTY_FOR) {
      waited += 50;
      await sleep(50);
      continue;
    }
    const ours = holder === processTag() && !held.has(path);
    if (holder !== '' && !ours && !isGone(holder)) throw inUse(path, what, holder);
    await removeIfStill(path, holder);
  }
  held.add(path);
  // A process that was killed while it took over a dead lock had put that aside.
  await removeLeftBehind(dirname(path), basename(path));
  const forget = onInterrupt(() => rmSync(path, { force: true }), ['SIGINT']);
  return {
    [Symbol.asyncDispose]: async () => {
      forget();
      held.delete(path);
      await rm(path, { force: true }).catch(() => {});
    },
  };
}

/** False where there is one. */
async function create(path: string, what: string): Promise<boolean> {
  let made = false;
  try {
    const file = await open(path, 'wx');
    made = true;
    await file.writeFile(processTag()).finally(() => file.close());
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    if (made) await rm(path, { force: true }).catch(() => {});
    throw new InputError(`${what}: cannot be written (${explained(error)})`);
  }
}

/** Two processes may find the same dead lock: what is removed must be it, and not the first one's new lock. */
async function removeIfStill(path: string, holder: string): Promise<void> {
  const aside = temporaryPath(path);
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  if ((await readFile(aside, 'utf8').catch(() => holder)) === holder) await rm(aside, { force: true });
  else await rename(aside, path).catch(() => {});
}

function inUse(path: string, what: string, holder: string): InputError {
  const pid = processNumber(holder);
  const who = pid === undefined ? 'another process' : `process ${pid}`;
  return new InputError(`${what}: ${who} is writing it; wait for its end, or delete ${path} if it has ended`);
}
