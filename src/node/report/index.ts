/** Reports on disk: what a folder holds, made into the page beside it. Loaded only when a page is made, since it brings ECharts. */
import { join } from 'node:path';
import { runReport } from '../../report/index.js';
import { writeFileAtomically } from '../atomic.js';
import { readRunReport } from './read-run.js';

/** Writes the page of a run to `out`, or `report.html` in its folder. Returns the path. */
export async function writeRunReport(run: string, out = join(run, 'report.html')): Promise<string> {
  await writeFileAtomically(out, runReport(await readRunReport(run)));
  return out;
}
