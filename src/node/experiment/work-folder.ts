/**
 * A folder of tasks that processes on any number of machines work on, each task in a folder of its own with its runs:
 *
 *     runs/<task>/<run>/       a run, as `ptdpc train`, `probe` and `zeroshot` make it
 *     claims/<name>.json       who is working on what
 *     cache/                   image features, unless another cache is given
 */
import { readdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError } from '../../errors.js';
import { makeFolder } from '../make-folder.js';
import { requireTrustedFolder } from '../own-files.js';
import { naming } from '../system-error.js';
import { finishedRun } from './task-run.js';

/** A demonstration's scenes and stand-ins, and the claim on the plan. */
const MADE_BEFORE: readonly string[] = ['scenes', 'encoders', 'claims'];

export class WorkFolder {
  constructor(readonly path: string) {}

  get claims(): string {
    return join(this.path, 'claims');
  }

  get cache(): string {
    return join(this.path, 'cache');
  }

  /** Folder of a task's runs. */
  runs(task: string): string {
    return join(this.path, 'runs', task);
  }

  /**
   * Makes the folder of a task's runs. Throws InputError if a folder on the way to them is a link, as it may be in a plan from elsewhere, or
   * can be written by everyone: what is written and removed there would be in another place.
   */
  async makeTaskFolder(task: string): Promise<void> {
    const runs = this.runs(task);
    await naming(runs, 'cannot be written', async () => {
      await requireTrustedFolder(await realpath(this.path));
      for (const folder of [dirname(runs), runs]) {
        await makeFolder(folder);
        await requireTrustedFolder(folder);
      }
      for (const run of await readdir(runs)) if (!run.startsWith('.')) await requireTrustedFolder(join(runs, run));
    });
  }

  async isDone(task: string): Promise<boolean> {
    return (await finishedRun(this.runs(task))) !== undefined;
  }

  /**
   * The folder may be new, or empty but for hidden files and what is there before the plan. Throws InputError naming `what` was expected if it
   * is not.
   */
  protected async requirePlace(what: string): Promise<void> {
    await naming(`--out ${this.path}`, 'cannot be created', () => makeFolder(this.path));
    const names = (await readdir(this.path)).filter((name) => !name.startsWith('.') && !MADE_BEFORE.includes(name));
    if (names.length > 0) {
      throw new InputError(`--out ${this.path}: expected ${what} or an empty folder, found ${names.sort()[0]}`);
    }
  }
}
