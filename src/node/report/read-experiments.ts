/** Finds and reads results.json, of one experiment or of several. */
import { join } from 'node:path';
import { InputError } from '../../errors.js';
import { EXPERIMENTS, type ExperimentResults, parseResults } from '../../ptdpc/experiment/index.js';
import { exists, MAX_DATA_BYTES, readText } from '../checkpoint-files.js';

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
