/** A finished or half-finished run opened for use: its prompts, and the model that they were tuned with. */
import { InputError } from '../errors.js';
import { type PromptsFile, requireSameModel } from '../ptdpc/index.js';
import { exists } from './checkpoint-files.js';
import { type ModelDirectory, openModelDirectory } from './model-directory.js';
import { readRunPrompts, readRunRecord } from './run-directory.js';

/** `new ClipModel(device, model).restorePrompts(prompts)` puts them on a device. */
export interface RunFiles extends AsyncDisposable {
  /** The latest prompts. */
  readonly prompts: PromptsFile;
  /** The model, closed when this is disposed. */
  readonly model: ModelDirectory;
}

/**
 * Reads a run and opens its model, at the place that run.json names or at `modelDirectory`. Throws InputError where the model is not
 * the one that the prompts were tuned with.
 */
export async function openRun(run: string, modelDirectory?: string): Promise<RunFiles> {
  const record = await readRunRecord(run);
  const prompts = await readRunPrompts(run);
  const { directory } = record.model;
  if (modelDirectory === undefined && !(await exists(directory)))
    throw new InputError(`${run}: its model is no longer at ${directory}; say where with --model <dir>`);
  const model = await openModelDirectory(modelDirectory ?? directory);
  try {
    await requireSameModel(run, prompts, model);
  } catch (error) {
    await model.close();
    throw error;
  }
  return { prompts, model, [Symbol.asyncDispose]: () => model.close() };
}
