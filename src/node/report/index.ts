/** Writes report pages from run and experiment folders. Loaded only when a page is made, because it loads ECharts. */
import { basename, join, resolve } from 'node:path';
import { InputError } from '../../errors.js';
import { EXPERIMENTS, type ExperimentResults, parseResults } from '../../ptdpc/experiment/index.js';
import { isStudyResults, leaderboard, parseStudyResults } from '../../ptdpc/study/index.js';
import {
  comparisonReport,
  experimentReport,
  type Made,
  type Picture,
  type RunReport,
  runReport,
  studyReport,
} from '../../report/index.js';
import { writeFileAtomically } from '../atomic.js';
import { exists, MAX_DATA_BYTES, readText } from '../checkpoint-files.js';
import { packageVersion } from '../package.js';
import { type PromptsRequest, readPromptsSection } from './read-prompts.js';
import { type PageOptions, PictureFolders, readRunReport } from './read-run.js';

/** Where a run's page goes, and what computes its words and weights. */
export interface RunReportOptions extends Partial<PromptsRequest>, PageOptions {
  /** Default: `report.html` in the run's folder. */
  readonly out?: string | undefined;
}

/**
 * Writes the page of a run. Returns its path. Without `openDevice`, the page has no section of prompts; nor has it one before the first
 * epoch has ended.
 */
export async function writeRunReport(run: string, options: RunReportOptions = {}): Promise<string> {
  const { out = join(run, 'report.html'), openDevice } = options;
  const report = await readRunReport(run, options);
  const { learning, evaluations } = report;
  const cases = [...(evaluations[0]?.right ?? []), ...(evaluations[0]?.wrong ?? [])];
  const prompts =
    openDevice && learning !== null ? [await readPromptsSection(run, cases, { ...options, openDevice })] : [];
  await writeFileAtomically(out, runReport(report, prompts, madeNow(options)));
  return out;
}

/** Writes a page to `out` that compares runs by their results. Throws InputError if one is not a run. */
export async function writeComparison(
  runs: readonly string[],
  out: string,
  options: PageOptions = {},
): Promise<string> {
  const reports: RunReport[] = [];
  for (const run of runs) reports.push(await readRunReport(run, options));
  // Runs of the same name are told apart by the paths that they were given by.
  const isUnique = new Set(reports.map(({ name }) => name)).size === reports.length;
  const named = isUnique ? reports : reports.map((report, i) => ({ ...report, name: runs[i]! }));
  await writeFileAtomically(out, comparisonReport(named, packageVersion(), madeNow(options)));
  return out;
}

/**
 * Writes the page of an experiment, of all experiments in the folders below, or of a study, to `out`, or `report.html` in the folder. Returns
 * the path.
 */
export async function writeExperimentReport(
  directory: string,
  out = join(directory, 'report.html'),
  options: PageOptions = {},
): Promise<string> {
  const own = join(directory, 'results.json');
  const json = (await exists(own)) ? await readText(own, MAX_DATA_BYTES) : '';
  if (isStudyResults(json)) {
    const study = parseStudyResults(json, own);
    await writeFileAtomically(out, studyReport(study, leaderboard(study), madeNow(options)));
    return out;
  }
  const results = await readExperiments(directory);
  const folders = new PictureFolders(options);
  const pictures = new Map<string, Picture>();
  for (const { settings, cases } of results) {
    for (const { setting, path } of cases) {
      const root = settings.find(({ name }) => name === setting)?.root ?? directory;
      pictures.set(`${setting}/${path}`, await folders.picture(root, path));
    }
  }
  const report = { name: basename(resolve(directory)), results, pictures };
  await writeFileAtomically(out, experimentReport(report, madeNow(options)));
  return out;
}

function madeNow({ command }: PageOptions): Made {
  return { date: new Date(), command: command ?? null };
}

/** `<directory>/results.json`, or that of each experiment's folder in it, in the paper's order. Throws InputError if there is none. */
export async function readExperiments(directory: string): Promise<ExperimentResults[]> {
  const own = join(directory, 'results.json');
  if (await exists(own)) return [parseResults(await readText(own, MAX_DATA_BYTES), own)];
  const results: ExperimentResults[] = [];
  for (const name of EXPERIMENTS) {
    const path = join(directory, name, 'results.json');
    if (await exists(path)) results.push(parseResults(await readText(path, MAX_DATA_BYTES), path));
  }
  if (results.length === 0)
    throw new InputError(`${own}: not found, nor in a folder below; expected the results of an experiment`);
  return results;
}
