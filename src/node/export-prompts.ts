/**
 * A run's prompts as a `.npz` file, with which other programs need neither a tokenizer nor this one: NumPy reads it, and any CLIP of the
 * same weights classifies with it (docs/checkpoints.md has the lines for PyTorch).
 *
 *     prompts        float32 [sets, tokens, width]   the learned tokens: one set, or one for each class
 *     token_ids      int32 [classes, length]         tokens of each class's text, from SOT to EOT and padding; 0 where one is learned
 *     learned        int32 [classes, length]         which learned token stands there; -1: the one of token_ids
 *     eot            int32 [classes]                 the place of EOT, where the text tower is read
 *     logit_scale    float32                         factor of the cosines
 *     classes, options, model_sha256                 texts; the options are JSON
 *
 * and of CoCoOp its network, by the names of the published code (`meta_net.linear1.weight`).
 */
import { type NpyArray, numberArray, textArray, writeNpz } from '../clip/checkpoint/index.js';
import { readLogitScale } from '../clip/towers/index.js';
import { InputError } from '../errors.js';
import { promptSetup } from '../learners/prompts/index.js';
import { type PromptText, textOfPrompts } from '../ptdpc/index.js';
import { createFileAtomically } from './atomic.js';
import { type ModelPlace, openRun } from './classifier.js';

/** Writes the prompts of `run` (a folder, or a prompts.safetensors with `model`) to `out`. Throws InputError as `openRun` does, and unless it ends in .npz. */
export async function exportPrompts(
  run: string,
  out: string,
  place: ModelPlace = {},
): Promise<{ readonly arrays: Readonly<Record<string, readonly number[]>> }> {
  if (!/\.npz$/i.test(out)) throw new InputError(`--out ${out}: expected a name that ends in .npz`);
  await using files = await openRun(run, place);
  const { prompts: file, model } = files;
  const { options, classes, shape, prompts, metaNet = [], modelHash } = file;
  const { learnSot, logitScale } = promptSetup(options).model;
  const scale = logitScale === 'clip' ? await readLogitScale(model.clip) : logitScale;
  const arrays: Record<string, NpyArray> = {
    prompts: numberArray(prompts, shape),
    ...placesOf(await textOfPrompts(file, model), learnSot),
    logit_scale: numberArray(Float32Array.of(scale), []),
    classes: textArray(classes.map(({ word }) => word)),
    options: textArray(JSON.stringify(options)),
    model_sha256: textArray(modelHash),
    ...Object.fromEntries(metaNet.map(([name, sizes, data]) => [name, numberArray(data, sizes)])),
  };
  await createFileAtomically(out, (sink) => writeNpz(arrays, sink));
  return { arrays: Object.fromEntries(Object.entries(arrays).map(([name, { shape: sizes }]) => [name, sizes])) };
}

/** What stands where in the text of each class. */
function placesOf(text: PromptText, learnSot: boolean): Record<'token_ids' | 'learned' | 'eot', NpyArray> {
  const { sot, eot, template, classes, after = 0, stop = [] } = text;
  const numbers = Array.from({ length: template.length }, (_, j) => LEARNED - j - Number(learnSot));
  const before = template.length - after;
  const sequences = classes.map((ids) => [
    learnSot ? LEARNED : sot,
    ...numbers.slice(0, before),
    ...ids,
    ...numbers.slice(before),
    ...stop,
    eot,
  ]);
  const length = Math.max(...sequences.map((sequence) => sequence.length));
  const whole = (item: (id: number) => number, padding: number) =>
    numberArray(
      Int32Array.from(
        sequences.flatMap((ids) => Array.from({ length }, (_, i) => (i < ids.length ? item(ids[i]!) : padding))),
      ),
      [classes.length, length],
    );
  return {
    token_ids: whole((id) => Math.max(0, id), 0),
    learned: whole((id) => (id < 0 ? LEARNED - id : -1), -1),
    eot: numberArray(
      Int32Array.from(sequences, (ids) => ids.length - 1),
      [classes.length],
    ),
  };
}

/** In a sequence of ids, the first learned token; the others have the numbers below. */
const LEARNED = -1;
