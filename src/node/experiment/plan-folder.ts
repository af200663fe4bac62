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
import { join } from 'node:path';
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
import { requireTrustedFolder } from '../own-files.js';
import { Claims } from './claims.js';
import { readTaskResult } from './task-run.js';
import { WorkFolder } from './work-folder.js';

export class PlanFolder extends WorkFolder {
  /**
   * Writes the plan; where there is one of the same configuration, the two become one. Returns what is written. Throws InputError if the
   * folder holds something else.
   */
  async write(plan: Plan): Promise<Plan> {
    const path = join(this.path, 'plan.json');
    if (!(await exists(path))) await this.requirePlace('a plan');
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

  /** Writes an experiment's results, as JSON, Markdown and LaTeX, below `out`. Returns the folder. */
  async writeResults(results: ExperimentResults, out = this.path): Promise<string> {
    const folder = join(out, results.experiment);
    await requireTrustedFolder(folder);
    await writeFileAtomically(join(folder, `${results.experiment}.tex`), latexReport(results));
    await writeFileAtomically(join(folder, `${results.experiment}.md`), markdownReport(results));
    await writeFileAtomically(join(folder, 'results.json'), json(results));
    return folder;
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
