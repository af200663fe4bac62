/**
 * Claims on tasks, so that processes on any number of machines that share a folder do not do the same work twice: each is a lock.
 *
 * Results do not depend on claims: a task gives the same result whichever process computes it, and its run is written atomically. So if two
 * processes take over the same dead claim at the same moment, the worst is work done twice.
 */
import { join } from 'node:path';
import { type Lock, type LockOptions, type LockTiming, lockUnlessAlive, tryLock, waitForLock } from '../lock.js';
import { makeFolder } from '../make-folder.js';
import { requireTrustedFolder } from '../own-files.js';
import { naming } from '../system-error.js';

export class Claims {
  constructor(
    private readonly folder: string,
    private readonly timing?: LockTiming,
  ) {}

  /** Claims a task, or returns undefined if a process holds it that may be alive. */
  async tryClaim(name: string): Promise<Lock | undefined> {
    return await tryLock(...(await this.#lock(name)));
  }

  /** Claims a task, or returns undefined as soon as its holder is known to be alive. */
  async claimUnlessAlive(name: string): Promise<Lock | undefined> {
    const claim = await lockUnlessAlive(...(await this.#lock(name)));
    return typeof claim === 'string' ? undefined : claim;
  }

  /** Claims a task, waiting as long as its holder lives. */
  async claim(name: string): Promise<Lock> {
    return await waitForLock(...(await this.#lock(name)));
  }

  async #lock(name: string): Promise<[path: string, options: LockOptions]> {
    await naming(this.folder, 'cannot be created', () => makeFolder(this.folder));
    await requireTrustedFolder(this.folder);
    const path = join(this.folder, `${name}.json`);
    return [path, { what: path, timing: this.timing }];
  }
}
