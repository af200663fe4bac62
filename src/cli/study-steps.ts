/** The parts of `ptdpc experiment learners` and `run-grid`: make the study, compute its tasks, collect the results. */
import { join, resolve } from 'node:path';
import type { TruncatedImages } from '../clip/image/index.js';
import { counted, InputError } from '../errors.js';
import type { DeviceChoice } from '../kernels/device-choice.js';
import { writeFileAtomically } from '../node/atomic.js';
import { readText } from '../node/checkpoint-files.js';
import { demoModelDirectory } from '../node/demo-scenes.js';
import { onDevice } from '../node/device.js';
import { findSettings, openSettings } from '../node/experiment/setting-data.js';
import { makeStudy, runStudy, StudyFolder } from '../node/study/index.js';
import { DEMO_SETTINGS, demoSettings, duration, type TaskShare } from '../ptdpc/experiment/index.js';
import { jsonText } from '../ptdpc/parse-json.js';
import {
  collectStudy,
  hasOption,
  type Leaderboard,
  leaderboard,
  madeWords,
  pairsWords,
  parseStudy,
  type StudyFile,
  type StudyJson,
  type StudyPlan,
  type StudyResults,
  type StudyTask,
  type StudyTaskResult,
  shotsWords,
  studyOf,
  studyTables,
  studyTasks,
  studyWarnings,
} from '../ptdpc/study/index.js';
import { openReportedDevice } from './device.js';
import { DEMO_BATCH_SIZE, tableText, writeReport } from './experiment-steps.js';
import { missing, printJson, printLines, say } from './output.js';
import { TERMINAL } from './progress.js';
import { percent } from './tables.js';

export interface StudyOptions {
  out: string;
  model?: string;
  demo?: boolean;
  strict?: boolean;
  truncated?: TruncatedImages;
  testSelection: boolean;
}

export interface StudyWorkOptions {
  out: string;
  device: DeviceChoice;
  memory: number;
  cache?: string;
}

/** Reads a study's file. `demo`: on the demonstration in place of its data sets. */
export async function readStudy(path: string, { demo = false }: Pick<StudyOptions, 'demo'>): Promise<StudyFile> {
  const study = parseStudy(await readText(path), path);
  return demo ? { ...study, demo: DEMO_SETTINGS.map(({ name }) => name), data: [] } : study;
}

export interface LearnersOptions extends Pick<StudyOptions, 'out' | 'model' | 'demo'> {
  dataRoot?: string;
  datasets?: string[];
  learners: string[];
  shots: (number | 'all')[];
  seeds: number;
  epochs?: number;
}

/** The study that options ask for, as a file. */
export async function learnersStudy(options: LearnersOptions): Promise<{ json: StudyJson; study: StudyFile }> {
  const { dataRoot, datasets, demo, model, shots, seeds, epochs } = options;
  if ((dataRoot === undefined) === !demo)
    throw new InputError('expected either --data-root <dir> with data sets, or --demo');
  if (demo) demoSettings(datasets, '--datasets');
  const found =
    dataRoot === undefined
      ? []
      : (await openSettings(await findSettings(dataRoot, datasets), datasets !== undefined)).settings;
  const data = found.map(({ name, label, dataset, root }) => ({ name, label, dataset, path: root }));
  const learners = options.learners.map((learner) => {
    const own = {
      ...(epochs !== undefined && hasOption(learner, 'epochs') && { epochs }),
      // The paper's batches of 64 are more than many a small training set has.
      ...(demo && (learner === 'pt-dpc' || learner === 'probe') && { batchSize: DEMO_BATCH_SIZE }),
    };
    return { learner, ...(Object.keys(own).length > 0 && { options: own }) };
  });
  const json: StudyJson = {
    title: 'Learners beside one another',
    ...(model !== undefined && { model: resolve(model) }),
    ...(demo ? { demo: datasets ?? true } : { data }),
    ...{ shots, seeds, learners },
  };
  return { json, study: studyOf(json, 'experiment learners') };
}

/** Writes the file of a study beside its plan. */
export async function saveLearners(out: string, json: StudyJson): Promise<void> {
  await writeFileAtomically(join(out, 'learners.json'), `${jsonText(json)}\n`);
}

/** Writes the study, or adds to the one that is there. */
export async function planStudy(study: StudyFile, options: StudyOptions): Promise<StudyPlan> {
  const { out, strict = false, truncated = 'skip', testSelection } = options;
  const model = options.model ?? (study.demo ? demoModelDirectory() : study.model);
  if (model === null) throw missing('--model <dir>', '"model" in the file');
  const made = await makeStudy({ study, model, out, strict, truncated, testSelection, events: TERMINAL });
  const plan = await new StudyFolder(out).write(made);
  const names = plan.datasets.map(({ label }) => label).join(', ');
  say(`${out}: ${counted(studyTasks(plan).length, 'task')} of ${counted(plan.rows.length, 'learner')} on ${names}`);
  return plan;
}

/** Whether a folder has a study. */
export async function isStudy(out: string): Promise<boolean> {
  return await new StudyFolder(out).isThere();
}

/** Computes what has no result yet, of all tasks or of a share of them. */
export async function workOnStudy(options: StudyWorkOptions, share?: TaskShare, waits = false): Promise<void> {
  const folder = new StudyFolder(options.out);
  const plan = await folder.read();
  let progress = { total: 0, done: 0 };
  const pace = new Pace(studyTasks(plan));
  const open = () => openReportedDevice(options.device);
  const result = await onDevice(open, TERMINAL, ({ backend }) =>
    runStudy(folder, {
      ...{ backend, memory: options.memory, cache: options.cache, share, waits, events: TERMINAL },
      onStart: ({ total, before }) => {
        progress = { total, done: before };
        const part = share ? `share ${share.index + 1} of ${share.count}: ` : '';
        say(`${part}${counted(total, 'task')} of ${studyTasks(plan).length}, ${before} done before`);
      },
      onTask: (task, found, seconds) => {
        progress.done++;
        pace.add(task, seconds);
        const left = progress.total - progress.done;
        const rest = left === 0 ? '' : `, about ${duration(pace.left(left))} left`;
        say(`${taskLine(task, found, seconds)}; ${progress.done} of ${progress.total} tasks done${rest}`);
      },
    }),
  );
  for (const name of result.leftToOthers) say(`${name}: another process is at work on it`);
}

/** How long tasks take: one of a row that has been computed takes as long as those of it, in proportion to the images; another, as long as the mean. */
class Pace {
  readonly #seconds = new Map<string, { seconds: number; weight: number }>();
  #tasks = 0;
  #all = 0;
  readonly #open: Map<string, StudyTask>;

  constructor(tasks: readonly StudyTask[]) {
    this.#open = new Map(tasks.map((task) => [task.name, task]));
  }

  add(task: StudyTask, seconds: number): void {
    const before = this.#seconds.get(task.row.name) ?? { seconds: 0, weight: 0 };
    this.#seconds.set(task.row.name, { seconds: before.seconds + seconds, weight: before.weight + weightOf(task) });
    this.#tasks++;
    this.#all += seconds;
    this.#open.delete(task.name);
  }

  /** Seconds for so many of the tasks that are open. */
  left(tasks: number): number {
    let seconds = 0;
    for (const task of this.#open.values()) {
      const known = this.#seconds.get(task.row.name);
      seconds += known ? (known.seconds / known.weight) * weightOf(task) : this.#all / this.#tasks;
    }
    return this.#open.size === 0 ? 0 : (seconds * tasks) / this.#open.size;
  }
}

/** Relative: what does not grow with the images counts as eight of each class. */
const weightOf = ({ shots }: StudyTask): number => 8 + (shots ?? 32);

function taskLine({ name }: StudyTask, { result, skipped }: StudyTaskResult, seconds: number): string {
  const without = skipped === 0 ? '' : `, without ${counted(skipped, 'image')} that could not be read`;
  return `${name}: accuracy ${percent(result.accuracy)} of ${counted(result.count, 'image')}${without}, ${seconds.toFixed(1)} s`;
}

export interface CollectStudyOptions {
  out: string;
  tables?: string;
  json?: boolean;
}

/** Writes tables and the page of the results so far. */
export async function collectStudyResults({ out, tables = out, json }: CollectStudyOptions): Promise<void> {
  const folder = new StudyFolder(out);
  const plan = await folder.read();
  const tasks = studyTasks(plan);
  const found = await folder.results(tasks);
  const results = collectStudy(plan, found);
  const left = tasks.length - found.size;
  if (left > 0) say(`${counted(left, 'task')} without a result`);
  const most = [...found.values()].reduce((most, { skipped }) => Math.max(most, skipped), 0);
  if (most > 0)
    say(
      `images that could not be read were left out, up to ${most} in a task; its run.json and results name them, --strict refuses them`,
    );
  const board = leaderboard(results);
  await folder.writeResults(results, board, tables);
  await writeReport(tables);
  if (json) printJson({ ...results, leaderboard: board });
  else printLines(resultText(results, board, tables));
}

/** Accuracies, and what selecting on the test images would have added; `place`: the folder that has the other tables. */
function resultText(results: StudyResults, board: Leaderboard, place: string): string {
  const { overall, datasets } = studyTables(results, board);
  const tables = [overall, ...datasets.flatMap(({ accuracy, selectedOnTest }) => [accuracy, selectedOnTest])];
  return [
    `${results.title} (${place})`,
    ...studyWarnings(results, board),
    ...tables.flatMap((one) => (one === null ? [] : tableText(one))),
    ...board.boards
      .filter(({ pairs }) => pairs.length > 0)
      .map(
        (one) =>
          `${datasets.find(({ dataset }) => dataset === one.dataset)?.label}, ${shotsWords(one.shots)}: ${pairsWords(results, one)}`,
      ),
    `${madeWords(results)}.`,
    '',
  ].join('\n\n');
}
