/**
 * A study on disk, shared by all processes that work on it:
 *
 *     study.json                     what to compute (src/ptdpc/study/plan.ts)
 *     runs/<task>/<run>/             its runs, as `ptdpc train`, `probe` and `zeroshot` make them; one of them has the task's result
 *     runs/<task>/study/             what the training cost (cost.json), and what choosing on the test images would have given (on-test.json)
 *     claims/, cache/, scenes/       as in a plan of experiments
 *     results.json                   what was found and its leaderboard, once collected; and study.md, study.tex, leaderboard.csv, pairs.csv
 *
 * All files are written to a temporary name and renamed.
 */
import { join } from 'node:path';
import { InputError } from '../../errors.js';
import {
  joinStudies,
  type Leaderboard,
  leaderboardCsv,
  pairsCsv,
  parseStudyPlan,
  type StudyPlan,
  type StudyResults,
  type StudyTask,
  type StudyTaskResult,
  studyLatex,
  studyMarkdown,
  studyResultsJson,
} from '../../ptdpc/study/index.js';
import { writeFileAtomically } from '../atomic.js';
import { exists, readText } from '../checkpoint-files.js';
import { Claims } from '../experiment/claims.js';
import { WorkFolder } from '../experiment/work-folder.js';
import { makeFolder } from '../make-folder.js';
import { requireTrustedFolder } from '../own-files.js';
import { readStudyTask } from './task-files.js';

export class StudyFolder extends WorkFolder {
  /** Whether the folder has a study, and not a plan of experiments. */
  async isThere(): Promise<boolean> {
    return await exists(this.#plan);
  }

  /** Writes the study; where there is one of the same configuration, the two become one. Throws InputError if the folder holds something else. */
  async write(plan: StudyPlan): Promise<StudyPlan> {
    if (!(await this.isThere())) await this.requirePlace('a study');
    await using _claim = await new Claims(this.claims).claim('plan');
    const joined = (await this.isThere()) ? joinStudies(await this.read(), plan, this.#plan) : plan;
    await writeFileAtomically(this.#plan, `${JSON.stringify(joined, null, 2)}\n`);
    return joined;
  }

  /** Throws InputError if there is no study. */
  async read(): Promise<StudyPlan> {
    if (!(await this.isThere()))
      throw new InputError(`${this.#plan}: not found; make a study with npx ptdpc experiment run-grid`);
    return parseStudyPlan(await readText(this.#plan), this.#plan);
  }

  /** The results of the tasks that are done, by name. Throws InputError if two of a data set are of other classes. */
  async results(tasks: readonly StudyTask[]): Promise<Map<string, StudyTaskResult>> {
    const results = new Map<string, StudyTaskResult>();
    const firsts = new Map<string, { name: string; classes: string }>();
    for (const { name, dataset, seed } of tasks) {
      const found = await readStudyTask(this.runs(name), name, seed);
      if (!found) continue;
      const classes = found.classes.join('\n');
      const first = firsts.get(dataset.name) ?? { name, classes };
      if (classes !== first.classes)
        throw new InputError(
          `${this.runs(name)}: its classes are not those of ${this.runs(first.name)}; delete one to compute it again`,
        );
      firsts.set(dataset.name, first);
      results.set(name, found);
    }
    return results;
  }

  /** Writes what was found, as JSON, Markdown, LaTeX and CSV, to `out`. */
  async writeResults(found: StudyResults, board: Leaderboard, out = this.path): Promise<void> {
    await makeFolder(out);
    await requireTrustedFolder(out);
    await writeFileAtomically(join(out, 'study.tex'), studyLatex(found, board));
    await writeFileAtomically(join(out, 'study.md'), studyMarkdown(found, board));
    await writeFileAtomically(join(out, 'leaderboard.csv'), leaderboardCsv(found, board));
    await writeFileAtomically(join(out, 'pairs.csv'), pairsCsv(board));
    await writeFileAtomically(join(out, 'results.json'), studyResultsJson(found, board));
  }

  get #plan(): string {
    return join(this.path, 'study.json');
  }
}
