/** A finished or half-finished run opened for use: its prompts, and the model that they were tuned with. */
import { stat } from 'node:fs/promises';
import { InputError } from '../errors.js';
import { decodePrompts, type PromptsFile, requireSameModel } from '../ptdpc/index.js';
import { exists } from './checkpoint-files.js';
import { openFileSource } from './file-source.js';
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
 * Reads a run and opens its model, at the place that run.json names or at `modelDirectory`. A prompts.safetensors without its folder, as
 * a page saves it, will do where the model's place is given. Throws InputError where the model is not the one that the prompts were
 * tuned with.
 */
export async function openRun(run: string, modelDirectory?: string): Promise<RunFiles> {
  const [prompts, directory] = (await isPromptsFile(run))
    ? await readLonePrompts(run, modelDirectory)
    : await readFolder(run, modelDirectory);
  const model = await openModelDirectory(directory);
  try {
    await requireSameModel(run, prompts, model);
  } catch (error) {
    await model.close();
    throw error;
  }
  return { prompts, model, [Symbol.asyncDispose]: () => model.close() };
}

/** Whether a run was given as its prompts.safetensors alone. */
export async function isPromptsFile(run: string): Promise<boolean> {
  return (await stat(run).catch(() => undefined))?.isFile() ?? false;
}

async function readFolder(run: string, modelDirectory: string | undefined): Promise<[PromptsFile, string]> {
  const record = await readRunRecord(run);
  const prompts = await readRunPrompts(run);
  const { directory } = record.model;
  if (modelDirectory === undefined && !(await exists(directory)))
    throw new InputError(`${run}: its model is no longer at ${directory}; say where with --model <dir>`);
  return [prompts, modelDirectory ?? directory];
}

async function readLonePrompts(file: string, modelDirectory: string | undefined): Promise<[PromptsFile, string]> {
  await using source = await openFileSource(file);
  const prompts = await decodePrompts(source);
  if (modelDirectory === undefined)
    throw new InputError(`${file}: a file of prompts does not say where its model is; say it with --model <dir>`);
  return [prompts, modelDirectory];
}
