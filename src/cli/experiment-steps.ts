/** The three parts of `ptdpc experiment`: make the plan, compute its tasks, collect the results. */
import { join } from 'node:path';
import type { TruncatedImages } from '../clip/image/index.js';
import { counted, InputError } from '../errors.js';
import type { DeviceChoice } from '../kernels/device-choice.js';
import { exists } from '../node/checkpoint-files.js';
import { demoModelDirectory } from '../node/demo-scenes.js';
import { onDevice } from '../node/device.js';
import { estimatePlan, makePlan, PlanFolder, runPlan } from '../node/experiment/index.js';
import {
  type Cell,
  collectExperiment,
  duration,
  type ExperimentName,
  type ExperimentResults,
  imageWarnings,
  type Plan,
  plannedExperiments,
  planTasks,
  type ResultTable,
  resultDocument,
  type TaskResult,
  type TaskShare,
} from '../ptdpc/experiment/index.js';
import { equalPromptsNote, type PreprocessChoice, type Preset, SPLITS, type Split } from '../ptdpc/index.js';
import { Engine } from '../tensor/index.js';
import { openReportedDevice } from './device.js';
import { missing, print, printJson, printLines, say } from './output.js';
import { TERMINAL } from './progress.js';
import { percent, table } from './tables.js';

export interface PlanOptions {
  dataRoot?: string;
  demo?: boolean;
  model?: string;
  encoders?: string[];
  preprocess: PreprocessChoice;
  out: string;
  datasets?: string[];
  seeds: number;
  preset: Preset;
  lr?: number[];
  epochs?: number;
  batchSize?: number;
  initNoise?: number;
  strict?: boolean;
  truncated?: TruncatedImages;
}

export interface WorkOptions {
  out: string;
  device: DeviceChoice;
  memory: number;
  cache?: string;
}

/** Writes the plan, or adds to the existing one. */
export async function plan(experiments: readonly ExperimentName[], options: PlanOptions): Promise<Plan> {
  const { demo, dataRoot } = options;
  if ((dataRoot === undefined) === !demo) {
    throw new InputError('expected either --data-root <dir> with data sets, or --demo');
  }
  const model = options.model ?? (demo ? demoModelDirectory() : undefined);
  if (model === undefined) throw missing('--model <dir>', '--demo');
  const {
    seeds,
    preset,
    epochs,
    datasets: settings,
    out,
    encoders,
    preprocess,
    lr: learningRates,
    initNoise,
    truncated,
  } = options;
  const batchSize = options.batchSize ?? (demo ? DEMO_BATCH_SIZE : undefined);
  const strict = options.strict ?? false;
  const request = {
    experiments,
    out,
    dataRoot,
    settings,
    model,
    encoders,
    preprocess,
    seeds,
    preset,
    learningRates,
    epochs,
    batchSize,
    initNoise,
    truncated,
  };
  const made = await new PlanFolder(options.out).write(await makePlan({ ...request, strict, events: TERMINAL }));
  const names = made.settings.map(({ label }) => label).join(', ');
  const tasks = planTasks(made);
  const learnsCopies = tasks.some(({ variant: { work } }) => work.kind === 'prompts' && work.mode === 'both');
  const note = learnsCopies && equalPromptsNote({ mode: 'both', initNoise: made.configuration.initNoise });
  if (note) say(note);
  say(`${options.out}: ${counted(tasks.length, 'task')} for ${made.experiments.join(', ')} on ${names}`);
  return made;
}

/** Small batches suit so few scenes (see `ptdpc demo`). */
export const DEMO_BATCH_SIZE = 16;

export interface EstimateOptions extends Pick<WorkOptions, 'out' | 'device' | 'memory'> {
  estimate: boolean;
  json?: boolean;
}

/** Measures a plan on the device, and says how long it takes. */
export async function sayEstimate(made: Plan, options: EstimateOptions): Promise<void> {
  const found = options.estimate ? await measurePlan(made, options) : null;
  if (options.json) {
    const settings = made.settings.map(({ name }) => name);
    const { experiments } = made;
    return printJson({ plan: options.out, experiments, settings, tasks: planTasks(made).length, estimate: found });
  }
  if (!found) return;
  const { images, encoding, training } = found;
  print(
    `about ${duration(encoding + training)} on this device, in one process with nothing cached: encoding ${counted(images, 'image')} ${duration(encoding)}, training ${duration(training)}`,
  );
}

async function measurePlan(made: Plan, { device, memory }: EstimateOptions) {
  using opened = await openReportedDevice(device);
  say('measuring how long it takes (--no-estimate leaves that out)');
  return await estimatePlan(made, opened, memory);
}

/** Computes what has no result yet, of all tasks or of a share of them. */
export async function work(options: WorkOptions, share?: TaskShare, waits = false): Promise<void> {
  const folder = new PlanFolder(options.out);
  const before = await folder.read();
  let done = 0;
  let total = 0;
  const open = () => openReportedDevice(options.device);
  const result = await onDevice(open, TERMINAL, ({ backend }) =>
    runPlan(folder, {
      engine: new Engine(backend),
      memory: options.memory,
      cache: options.cache,
      share,
      // One command for everything ends with whole tables.
      waits,
      events: TERMINAL,
      onStart: (progress) => {
        total = progress.total;
        done = progress.before;
        const part = share ? `share ${share.index + 1} of ${share.count}: ` : '';
        say(`${part}${counted(total, 'task')} of ${planTasks(before).length}, ${done} done before`);
      },
      onTask: (task) => say(`${taskLine(task)}; ${++done} of ${total} tasks done`),
    }),
  );
  for (const name of result.leftToOthers) say(`${name}: another process is at work on it`);
}

function taskLine({ task, result, skipped, truncated }: TaskResult): string {
  const rate = result.learningRate === null ? '' : `, learning rate ${result.learningRate}`;
  const counts = (images: readonly { split: Split }[]) =>
    SPLITS.flatMap((split) => {
      const some = images.filter((image) => image.split === split).length;
      return some === 0 ? [] : [`${some} ${split}`];
    }).join(' and ');
  const without =
    (skipped.length === 0 ? '' : `, without ${counts(skipped)} images that could not be read`) +
    (truncated.length === 0 ? '' : `, with ${counts(truncated)} images that are cut short`);
  return `${task}: accuracy ${percent(result.accuracy)} of ${counted(result.count, 'image')}${without}${rate}, ${result.seconds.toFixed(1)} s`;
}

export interface CollectOptions {
  out: string;
  tables?: string;
  json?: boolean;
}

/**
 * Writes tables of the results so far, and the report of every experiment that is complete; a report that exists is brought up to date in
 * any case. `names`: some of the plan's experiments. Default: all.
 */
export async function collect({ out, tables, json }: CollectOptions, names?: readonly ExperimentName[]): Promise<void> {
  const folder = new PlanFolder(out);
  const made = await folder.read();
  const results = await folder.results(planTasks(made));
  const collected: ExperimentResults[] = [];
  for (const planned of plannedExperiments(made).filter(({ name }) => names?.includes(name) ?? true)) {
    const one = collectExperiment(made, planned, results);
    const place = await folder.writeResults(one, tables);
    collected.push(one);
    const missing = one.cells.reduce((sum, cell) => sum + cell.missing.length, 0);
    if (missing > 0) say(`${planned.name}: ${counted(missing, 'task')} without a result`);
    for (const warning of imageWarnings(one)) say(`${planned.name}: ${warning}`);
    if (missing === 0 || (await exists(join(place, 'report.html')))) await writeReport(place);
    if (json) continue;
    printLines(resultText(one, place));
  }
  if (json) printJson(collected);
}

/** Writes report.html beside results.json. */
export async function writeReport(directory: string): Promise<void> {
  // Late: it brings the charts.
  const { writeExperimentReport } = await import('../node/report/index.js');
  await writeExperimentReport(directory, undefined, { say });
}

/** `place`: the folder that holds them. */
export function resultText(results: ExperimentResults, place: string): string {
  const { title, warnings, made, tables } = resultDocument(results);
  return [`${title} (${place})`, ...warnings, ...tables.flatMap(tableText), `${made}.`, ''].join('\n\n');
}

/** Title, cells, notes and caption. */
export function tableText({ title, caption, head, rows, foot, notes }: ResultTable): string[] {
  const body = [...rows, ...foot].flatMap(linesOf);
  return [
    ...(title === null ? [] : [title]),
    table([[...head], ...body]),
    ...(notes.length === 0 ? [] : [notes.join('\n')]),
    caption,
  ];
}

/** A row of cells with several lines is as many rows of text. */
function linesOf(cells: readonly Cell[]): string[][] {
  const height = Math.max(1, ...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, i) => cells.map((lines) => lines[i] ?? (i === 0 ? '-' : '')));
}
