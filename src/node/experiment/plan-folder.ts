/**
 * A plan on disk, shared by all processes that work on it:
 *
 *     plan.json                what to compute (src/ptdpc/experiment/plan.ts)
 *     runs/<task>/<run>/       its runs, as `ptdpc train`, `probe` and `zeroshot` make them; one of them has the task's result (task-run.ts)
 *     claims/<name>.json       who is working on what
 *     cache/                   image features, unless another cache is given
 *     scenes/, encoders/       what a demonstration has drawn in place of a data set and of published encoders
 *     <experiment>/            results.json and the tables, once collected
 *
 * All files are written to a temporary name and renamed.
 */
import { readdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError } from '../../errors.js';
import {
  type ExperimentResults,
  joinPlans,
  latexReport,
  markdownReport,
  type Plan,
  parsePlan,
  type Task,
  type TaskResult,
} from '../../ptdpc/experiment/index.js';
import { writeFileAtomically } from '../atomic.js';
import { exists, readText } from '../checkpoint-files.js';
import { type Lock, type LockOptions, type LockTiming, lockUnlessAlive, tryLock, waitForLock } from '../lock.js';
import { makeFolder } from '../make-folder.js';
import { requireTrustedFolder } from '../own-files.js';
import { naming } from '../system-error.js';
import { finishedRun, readTaskResult } from './task-run.js';

/** A demonstration's scenes and stand-ins, and the claim on the plan. */
const MADE_BEFORE: readonly string[] = ['scenes', 'encoders', 'claims'];

export class PlanFolder {
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

  /**
   * Writes the plan; where there is one of the same configuration, the two become one. Returns what is written. Throws InputError if the
   * folder holds something else.
   */
  async write(plan: Plan): Promise<Plan> {
    const path = join(this.path, 'plan.json');
    if (!(await exists(path))) await this.#requirePlace();
    // Of two processes that add experiments at the same time, the second one adds to what the first one has written.
    await using _claim = await new Claims(this.claims).claim('plan');
    const joined = (await exists(path)) ? joinPlans(await this.read(), plan, path) : plan;
    await writeFileAtomically(path, json(joined));
    return joined;
  }

  /** Throws InputError if there is no plan, or the folder is of a version that kept results in another way. */
  async read(): Promise<Plan> {
    if (await exists(join(this.path, 'tasks')))
      throw new InputError(
        `${this.path}: its results are those of an earlier version (tasks/); plan again with another --out, or collect it with that version`,
      );
    const path = join(this.path, 'plan.json');
    if (!(await exists(path))) throw new InputError(`${path}: not found; make a plan with npx ptdpc experiment plan`);
    return parsePlan(await readText(path), path);
  }

  /** The results of the tasks that are done, by name. Throws InputError if two of a setting are of other classes. */
  async results(tasks: readonly Task[]): Promise<Map<string, TaskResult>> {
    const results = new Map<string, TaskResult>();
    const firsts = new Map<string, TaskResult>();
    for (const task of tasks) {
      const { name, setting } = task;
      const result = await readTaskResult(this.runs(name), task);
      if (!result) continue;
      const first = firsts.get(setting.name) ?? result;
      if (result.classes.join('\n') !== first.classes.join('\n')) {
        throw new InputError(
          `${this.runs(name)}: its classes are not those of ${this.runs(first.task)}; delete one to compute it again`,
        );
      }
      firsts.set(setting.name, first);
      results.set(name, result);
    }
    return results;
  }

  async isDone(task: string): Promise<boolean> {
    return (await finishedRun(this.runs(task))) !== undefined;
  }

  /** Writes an experiment's results, as JSON, Markdown and LaTeX, below `out`. Returns the folder. */
  async writeResults(results: ExperimentResults, out = this.path): Promise<string> {
    const folder = join(out, results.experiment);
    await requireTrustedFolder(folder);
    await writeFileAtomically(join(folder, `${results.experiment}.tex`), latexReport(results));
    await writeFileAtomically(join(folder, `${results.experiment}.md`), markdownReport(results));
    await writeFileAtomically(join(folder, 'results.json'), json(results));
    return folder;
  }

  /** The folder may be new, or empty but for hidden files and what is there before the plan. */
  async #requirePlace(): Promise<void> {
    await naming(`--out ${this.path}`, 'cannot be created', () => makeFolder(this.path));
    const names = (await readdir(this.path)).filter((name) => !name.startsWith('.') && !MADE_BEFORE.includes(name));
    if (names.length > 0) {
      throw new InputError(`--out ${this.path}: expected a plan or an empty folder, found ${names.sort()[0]}`);
    }
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

// Claims on tasks, so that processes on any number of machines that share a folder do not do the same work twice: each is a lock.
//
// Results do not depend on claims: a task gives the same result whichever process computes it, and its run is written atomically. So if two
// processes take over the same dead claim at the same moment, the worst is work done twice.

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
