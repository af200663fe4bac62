/** Finds and reads results.json, of one experiment or of several. */
import { join } from 'node:path';
import { InputError } from '../../errors.js';
import { EXPERIMENTS, type ExperimentResults, RESULTS_FORMAT } from '../../ptdpc/experiment/index.js';
import { exists, readText } from '../checkpoint-files.js';

/** `<directory>/results.json`, or that of each experiment's folder in it, in the paper's order. Throws InputError where there is none. */
export async function readExperiments(directory: string): Promise<ExperimentResults[]> {
  const own = join(directory, 'results.json');
  if (await exists(own)) return [await readResults(own)];
  const results: ExperimentResults[] = [];
  for (const name of EXPERIMENTS) {
    const path = join(directory, name, 'results.json');
    if (await exists(path)) results.push(await readResults(path));
  }
  if (results.length === 0)
    throw new InputError(`${own}: not found, nor in a folder below; expected the results of an experiment`);
  return results;
}

async function readResults(path: string): Promise<ExperimentResults> {
  const text = await readText(path);
  try {
    const results = JSON.parse(text) as ExperimentResults;
    const lists = [results.settings, results.variants, results.cells, results.quoted, results.spread, results.cases];
    if (results.format === RESULTS_FORMAT && lists.every(Array.isArray) && EXPERIMENTS.includes(results.experiment))
      return results;
  } catch {
    // Reported below, like results that lack something.
  }
  throw new InputError(
    `${path}: expected the results of an experiment in format ${RESULTS_FORMAT}, found something else`,
  );
}
