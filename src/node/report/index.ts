/** Reports on disk: what a folder holds, made into the page beside it. Loaded only when a page is made, since it brings ECharts. */
import { basename, join, resolve } from 'node:path';
import { experimentReport, type Picture, runReport } from '../../report/index.js';
import { writeFileAtomically } from '../atomic.js';
import { pictureAt } from './cases.js';
import { readExperiments } from './read-experiments.js';
import { readRunReport } from './read-run.js';

/** Writes the page of a run to `out`, or `report.html` in its folder. Returns the path. */
export async function writeRunReport(run: string, out = join(run, 'report.html')): Promise<string> {
  await writeFileAtomically(out, runReport(await readRunReport(run)));
  return out;
}

/**
 * Writes the page of an experiment, or of all experiments in the folders below, to `out`, or `report.html` in the folder. Returns the
 * path.
 */
export async function writeExperimentReport(directory: string, out = join(directory, 'report.html')): Promise<string> {
  const results = await readExperiments(directory);
  const pictures = new Map<string, Picture>();
  for (const { settings, cases } of results) {
    for (const { setting, path } of cases) {
      const root = settings.find(({ name }) => name === setting)?.root ?? directory;
      pictures.set(`${setting}/${path}`, await pictureAt(resolve(root, path), root));
    }
  }
  await writeFileAtomically(out, experimentReport({ name: basename(resolve(directory)), results, pictures }));
  return out;
}
