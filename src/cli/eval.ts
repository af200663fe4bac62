/** `ptdpc eval`: how good the prompts of a run are on labelled images. */
import { type Command, Option } from 'commander';
import { readSplit, type Split, unusedFolders } from '../node/dataset.js';
import type { DeviceChoice } from '../node/device-choice.js';
import { encodeSplit } from '../node/encode-splits.js';
import { loadTuned, openRun } from '../node/tuned-model.js';
import { type Evaluation, evaluateOn } from '../ptdpc/index.js';
import { Engine } from '../tensor/index.js';
import { openReportedDevice } from './device.js';
import { type EncodingOptions, encodingOf } from './encoding.js';
import { evaluationJson, printEvaluation, writeEvaluation } from './evaluation.js';
import { addCacheOptions, addExamples, deviceOption, jsonOption, memoryOption, strictOption } from './options.js';
import { printJson, say, saySkipped } from './output.js';

export interface EvalOptions extends EncodingOptions {
  run: string;
  data: string;
  split: Split;
  model?: string;
  device: DeviceChoice;
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .description('Evaluate the prompts of a run; writes confusion.json and predictions.csv into its folder.')
    .requiredOption('--run <run>', 'folder of the run')
    .requiredOption('--data <dir>', 'images in {train,val,test}/<class>/')
    .addOption(splitOption())
    .option('--model <dir>', 'model directory, where it is no longer where the run found it')
    .addOption(deviceOption())
    .addOption(memoryOption())
    .addOption(strictOption())
    .addOption(jsonOption());
  addCacheOptions(command).action(async (options: EvalOptions) => {
    const { classes, evaluation } = await evaluateRun(options);
    if (options.json) printJson({ run: options.run, split: options.split, ...evaluationJson(classes, evaluation) });
    else printEvaluation(options.split, classes, evaluation);
  });
  addExamples(command, [
    ['ptdpc eval --run runs/fi --data fi', 'accuracy and confusion on the test images'],
    ['ptdpc eval --run runs/fi --data fi --split val --json', 'on the validation images, for a program'],
  ]);
}

export const splitOption = () =>
  new Option('--split <name>', 'which images').choices(['train', 'val', 'test']).default('test');

/** Evaluates a run on one split and writes the result into its folder. */
export async function evaluateRun(options: EvalOptions) {
  await using run = await openRun(options.run, options.model);
  const { classes } = run.prompts;
  const images = (await readSplit(options.data, options.split, classes)) ?? [];
  const unused = await unusedFolders(options.data, options.split, classes);
  if (unused.length > 0) say(`not among the classes of the run, so left out: ${unused.join(', ')}`);
  using device = await openReportedDevice(options.device);
  const engine = new Engine(device.backend);
  const encoded = await encodeSplit(encodingOf(engine, run.model, options), images, classes);
  saySkipped(encoded.skipped);
  using tuned = await loadTuned(run, engine);
  const evaluation: Evaluation = await evaluateOn(tuned.prompts, encoded, options.memory);
  await writeEvaluation(options.run, options.split, classes, encoded, evaluation);
  return { classes, evaluation };
}
