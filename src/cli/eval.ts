/** `ptdpc eval`: how good the prompts of a run are on labelled images. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { counted, InputError } from '../errors.js';
import type { DeviceChoice } from '../node/device-choice.js';
import { encodeSplit } from '../node/encode-splits.js';
import type { EncodedSplit } from '../node/labelled-images.js';
import { requireWritable } from '../node/make-folder.js';
import { evaluationJson, type WrittenResult, writeResult } from '../node/results.js';
import { readRunRecord } from '../node/run-directory.js';
import { readRunImages, type SeenImages, seenImages } from '../node/run-images.js';
import { isPromptsFile, openRun } from '../node/tuned-model.js';
import { ClipModel, type Dataset, describeOrigin, imagesOf, namedSetting, type Split } from '../ptdpc/index.js';
import { addDatasetOptions, type DataOptions, openReportedDataset, splitOption } from './dataset.js';
import { openReportedDevice } from './device.js';
import { type EncodingOptions, encodingForRun } from './encoding.js';
import { printEvaluation, sayWritten } from './evaluation.js';
import { featuresKept } from './interruption.js';
import {
  addCacheOptions,
  addExamples,
  deviceOption,
  jsonOption,
  memoryOption,
  runOption,
  runTruncatedOption,
  strictOption,
} from './options.js';
import { printJson, say, saySkipped } from './output.js';

export interface EvalOptions extends EncodingOptions, Partial<DataOptions> {
  run: string;
  split: Split;
  model?: string;
  device: DeviceChoice;
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .description(
      'Evaluate the prompts of a run. Measures and predictions go into the folder of the run, where it has one, as ' +
        'results/<data set>-<split>.json and .csv; results of other data sets and splits stay.',
    )
    .addOption(runOption())
    .addOption(splitOption())
    .option('--model <dir>', 'model directory, where it is no longer where the run found it')
    .addOption(deviceOption())
    .addOption(memoryOption())
    .addOption(strictOption())
    .addOption(runTruncatedOption())
    .addOption(jsonOption());
  addDatasetOptions(command, 'where the data set is (default: where the run found it)');
  addCacheOptions(command).action(async (options: EvalOptions) => {
    const { classes, evaluation, seen, skipped, truncated, written } = await evaluateRun(options);
    const { run, split } = options;
    const result = written?.path ?? null;
    if (options.json)
      printJson({ run, split, seen, ...evaluationJson(classes, evaluation), result, skipped, truncated });
    else printEvaluation(seen?.train ? `${split} (${seen.train} images trained on)` : split, classes, evaluation);
    if (written) sayWritten(written);
    saySkipped(skipped, truncated);
  });
  addExamples(command, [
    ['ptdpc eval --run runs/fi', 'accuracy and confusion on the test images of the data set of the run'],
    ['ptdpc eval --run runs/fi --split val --json', 'on the validation images, for a program'],
    ['ptdpc eval --run runs/fi --data emoset --dataset emoset8', 'on another data set with classes of the same names'],
  ]);
}

/** Evaluates a run on one split and writes the result into its folder. */
export async function evaluateRun(options: EvalOptions) {
  using _kept = featuresKept(options);
  const isFolder = !(await isPromptsFile(options.run));
  if (isFolder) await requireWritable(join(options.run, 'results'));
  await using run = await openRun(options.run, options.model);
  const { classes } = run.prompts;
  const dataset = await openReportedDataset(await dataOf(options), classes);
  const images = imagesOf(dataset, options.split);
  using device = await openReportedDevice(options.device);
  using clip = new ClipModel(device, run.model, options);
  const encoded = await encodeSplit(await encodingForRun(clip.engine, run.model, options), images, classes);
  using tuned = await clip.restorePrompts(run.prompts, options.run);
  const evaluation = await tuned.evaluate(encoded);
  const seen = isFolder ? await seenBefore(options, dataset, encoded) : null;
  let written: WrittenResult | undefined;
  if (isFolder) {
    written = await writeResult(options.run, {
      ...{ dataset, split: options.split, classes, images: encoded, evaluation, seen },
      ...{ epochs: run.prompts.epochs, device: device.backend.description },
    });
  }
  return { classes, evaluation, seen, skipped: encoded.skipped, truncated: encoded.truncated, written };
}

/** Compares the images with the run's own, and warns of those that it knew, or refuses them with --strict; null for the training images, and where the run did not record its own. */
async function seenBefore(
  { run, split, strict }: EvalOptions,
  { origin }: Dataset,
  images: EncodedSplit,
): Promise<SeenImages | null> {
  if (split === 'train') return null;
  const own = await readRunImages(run);
  if (!own) return null;
  const seen = seenImages(own, images, split);
  const of = `of ${counted(images.paths.length, `${split} image`)}`;
  const parts = [
    ...(seen.train > 0 ? [`${seen.train} ${of} were trained on`] : []),
    ...(seen.val > 0 ? [`${seen.val} ${of} are validation images of the run`] : []),
  ];
  if (parts.length === 0) return seen;
  const [before, now] = [(await readRunRecord(run)).dataset.origin, origin].map(describeOrigin);
  const why = before === now ? '' : `; the run has the ${before}, this is the ${now}`;
  const found = `${run}: ${parts.join(', ')} (first ${seen.first}), so the result is not one on unseen images${why}`;
  if (strict) throw new InputError(`${found}; without --strict that is a warning`);
  say(`warning: ${found}`);
  return seen;
}

/** The run's data set, unless the options say something else. */
async function dataOf({ run, data, dataset, fold, splitSeed }: EvalOptions): Promise<DataOptions> {
  if (await isPromptsFile(run)) {
    if (data === undefined)
      throw new InputError(`${run}: a file of prompts knows no data set; say where one is with --data <path>`);
    return { data, dataset, fold, splitSeed };
  }
  const record = await readRunRecord(run);
  const { setting, origin } = record.dataset;
  // Folders and manifests are known when they are seen; another copy of a named data set has the same name.
  const same = dataset === undefined && (data === undefined || namedSetting(setting) !== undefined);
  if (!same && dataset !== setting) return { data: data ?? record.data, dataset, fold, splitSeed };
  return {
    data: data ?? record.data,
    dataset: setting,
    fold: fold ?? ('fold' in origin ? origin.fold : undefined),
    splitSeed: splitSeed ?? ('seed' in origin ? origin.seed : undefined),
  };
}
