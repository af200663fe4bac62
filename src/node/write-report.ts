/** Reports, for programs that may never write one: the charts (ECharts, some megabytes) are loaded with the first page. */
import type { RunReportOptions } from './report/index.js';
import type { PageOptions, PictureOptions } from './report/read-run.js';

export type { PageOptions, PictureOptions, RunReportOptions };

/**
 * Writes the page of a run: `report.html` in its folder, or `options.out`. Returns the path. With `openDevice`, the page shows the
 * learned tokens' nearest words and the weights of some pictures too. Throws InputError if the folder holds no run.
 */
export async function writeRunReport(run: string, options: RunReportOptions = {}): Promise<string> {
  return (await import('./report/index.js')).writeRunReport(run, options);
}

/** Writes a page to `out` that compares runs by their results. Returns the path. Throws InputError if one is not a run. */
export async function writeComparison(
  runs: readonly string[],
  out: string,
  options: PageOptions = {},
): Promise<string> {
  return (await import('./report/index.js')).writeComparison(runs, out, options);
}

/**
 * Writes the page of the experiments in a folder: `report.html` in it, or `out`. Returns the path. Throws InputError if the folder
 * holds no results.
 */
export async function writeExperimentReport(
  directory: string,
  out?: string,
  options: PageOptions = {},
): Promise<string> {
  return (await import('./report/index.js')).writeExperimentReport(directory, out, options);
}
