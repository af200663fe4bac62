/**
 * A plan on disk, shared by all processes that work on it:
 *
 *     plan.json                what to compute (src/ptdpc/experiment/plan.ts)
 *     tasks/<task>.json        the result of a task; there as soon as it is done
 *     predictions/<task>.csv   its prediction of every image
 *     runs/<task>/             its trainings, as `ptdpc train` leaves them
 *     claims/<name>.json       who is working on what (claims.ts)
 *     cache/                   image features, unless another cache is given
 *     <experiment>/            results.json and the tables, once collected
 *
 * All files are written to a temporary name and renamed.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { quoted } from '../../clip/checkpoint/quoted.js';
import { InputError } from '../../errors.js';
import {
  type ExperimentResults,
  joinPlans,
  latexReport,
  markdownReport,
  type Plan,
  parsePlan,
  parseTaskResult,
  type Task,
  type TaskResult,
} from '../../ptdpc/experiment/index.js';
import { writeFileAtomically } from '../atomic.js';
import { exists, MAX_DATA_BYTES, readText } from '../checkpoint-files.js';
import { makeFolder } from '../make-folder.js';
import { naming } from '../system-error.js';
import { Claims } from './claims.js';

/** A demonstration's scenes, and the claim on the plan. */
const MADE_BEFORE: readonly string[] = ['scenes', 'claims'];

export class PlanFolder {
  constructor(readonly path: string) {}

  get claims(): string {
    return join(this.path, 'claims');
  }

  get cache(): string {
    return join(this.path, 'cache');
  }

  /** Folder of a task's trainings. */
  runs(task: string): string {
    return join(this.path, 'runs', task);
  }

  /**
   * Writes the plan; where there is one of the same configuration, the two become one. Returns what is written. Throws InputError where the
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

  /** Throws InputError where there is no plan. */
  async read(): Promise<Plan> {
    const path = join(this.path, 'plan.json');
    if (!(await exists(path))) throw new InputError(`${path}: not found; make a plan with ptdpc experiment plan`);
    return parsePlan(await readText(path), path);
  }

  /** The result of a task; undefined where it is not done. */
  async result(task: string): Promise<TaskResult | undefined> {
    const path = this.#taskFile(task);
    if (!(await exists(path))) return undefined;
    const result = parseTaskResult(await readText(path, MAX_DATA_BYTES), path);
    if (result.task === task) return result;
    throw new InputError(`${path}: expected the result of ${task}, found that of ${quoted(result.task)}`);
  }

  /** The results of the tasks that are done, by name. Throws InputError where two of a setting are of other classes. */
  async results(tasks: readonly Task[]): Promise<Map<string, TaskResult>> {
    const results = new Map<string, TaskResult>();
    const firsts = new Map<string, TaskResult>();
    for (const { name, setting } of tasks) {
      const result = await this.result(name);
      if (!result) continue;
      const first = firsts.get(setting.name) ?? result;
      if (result.classes.join('\n') !== first.classes.join('\n')) {
        throw new InputError(
          `${this.#taskFile(name)}: its classes are not those of ${this.#taskFile(first.task)}; delete one to compute it again`,
        );
      }
      firsts.set(setting.name, first);
      results.set(name, result);
    }
    return results;
  }

  isDone(task: string): Promise<boolean> {
    return exists(this.#taskFile(task));
  }

  /** Writes the predictions, then the result, which says that the task is done. */
  async finish(result: TaskResult, predictions: Iterable<string>): Promise<void> {
    await writeFileAtomically(join(this.path, 'predictions', `${result.task}.csv`), predictions);
    await writeFileAtomically(this.#taskFile(result.task), json(result));
  }

  /** Writes an experiment's results, as JSON, Markdown and LaTeX, below `out`. Returns the folder. */
  async writeResults(results: ExperimentResults, out = this.path): Promise<string> {
    const folder = join(out, results.experiment);
    await writeFileAtomically(join(folder, `${results.experiment}.tex`), latexReport(results));
    await writeFileAtomically(join(folder, `${results.experiment}.md`), markdownReport(results));
    await writeFileAtomically(join(folder, 'results.json'), json(results));
    return folder;
  }

  #taskFile(task: string): string {
    return join(this.path, 'tasks', `${task}.json`);
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
