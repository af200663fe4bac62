/** A finished or half-finished run opened for use: its prompts on the model that they were tuned with. */
import { TextTower, TokenEmbeddings } from '../clip/towers/index.js';
import { InputError } from '../errors.js';
import { PromptModel, type PromptsFile, type PromptText, promptText } from '../ptdpc/index.js';
import type { Engine } from '../tensor/index.js';
import { exists } from './checkpoint-files.js';
import { type ModelDirectory, openModelDirectory } from './model-directory.js';
import { readRunPrompts, readRunRecord } from './run-directory.js';

export interface RunFiles extends AsyncDisposable {
  prompts: PromptsFile;
  model: ModelDirectory;
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
  const hash = await model.hash();
  if (hash !== prompts.modelHash) {
    await model.close();
    throw new InputError(
      `${run}: its prompts were tuned with another model (weights with sha-256 ${prompts.modelHash.slice(0, 12)}..., ` +
        `${model.directory} has ${hash.slice(0, 12)}...)`,
    );
  }
  return { prompts, model, [Symbol.asyncDispose]: () => model.close() };
}

export interface TunedModel extends Disposable {
  prompts: PromptModel;
}

/** The run's words, as its model reads them. Throws InputError where its prompts do not fit the model's width or the template's tokens. */
export async function runText({ prompts, model }: RunFiles): Promise<PromptText> {
  const { options, classes } = prompts;
  const words = classes.map(({ word }) => word);
  const text = promptText(await model.tokenizer(), options.template, words, model.config.text.context);
  const expected = [prompts.shape[0], text.template.length + Number(options.learnSot), model.config.text.width];
  if (prompts.shape.join() !== expected.join()) {
    throw new InputError(
      `prompts of shape [${prompts.shape.join(', ')}] where the template and ${model.directory} need [${expected.join(', ')}]: ` +
        'another merges.txt than in training, or a damaged run',
    );
  }
  return text;
}

/** The run's prompts on a device. Throws InputError as `runText` does. */
export async function loadTuned(run: RunFiles, engine: Engine): Promise<TunedModel> {
  const { prompts, model } = run;
  const text = await runText(run);
  const tower = await TextTower.load(engine, model.clip, model.config);
  const tuned = await PromptModel.create(
    tower,
    new TokenEmbeddings(model.clip),
    text,
    prompts.options,
    prompts.prompts,
  );
  return {
    prompts: tuned,
    [Symbol.dispose]: () => {
      tuned[Symbol.dispose]();
      tower[Symbol.dispose]();
    },
  };
}
