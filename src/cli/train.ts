/** `ptdpc train`: trains prompts on labelled images. */

import { basename, dirname } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { TruncatedImages } from '../clip/image/index.js';
import { counted, InputError } from '../errors.js';
import type { DeviceChoice } from '../node/device-choice.js';
import { datasetOfRun } from '../node/evaluate-run.js';
import type { SkippedImage } from '../node/image-files.js';
import { whenInterrupted } from '../node/interrupt.js';
import { type PromptsRecord, readPromptsRecord } from '../node/run-record.js';
import { type TunedRun, tunePrompts } from '../node/tune-prompts.js';
import { PAPER_LEARNING_RATES } from '../ptdpc/experiment/index.js';
import { type EpochMetrics, MODES, type Mode, type Preset, type TuningOptions, tuningOptions } from '../ptdpc/index.js';
import { commandLine } from './command-line.js';
import { addDatasetOptions, classesOption, type DataOptions } from './dataset.js';
import { openReportedDevice } from './device.js';
import { cacheDirectory } from './encoding.js';
import {
  addCacheOptions,
  addExamples,
  type CacheOptions,
  deviceOption,
  jsonOption,
  memoryOption,
  parseInteger,
  parsePositive,
  parseRate,
  parseSeed,
  parseShare,
  strictOption,
  truncatedOption,
} from './options.js';
import { print, printJson, say, saySkipped } from './output.js';
import { TERMINAL } from './progress.js';
import { percent } from './tables.js';

export interface TrainOptions extends CacheOptions, Partial<DataOptions> {
  config?: string;
  model?: string;
  out: string;
  classes?: string;
  device: DeviceChoice;
  memory: number;
  strict?: boolean;
  truncated?: TruncatedImages;
  json?: boolean;
  preset?: Preset;
  mode?: Mode;
  template?: string;
  initNoise?: number;
  epochs?: number;
  batchSize?: number;
  lr?: number | 'auto';
  optimizer?: 'sgd' | 'adamw';
  stepSize?: number;
  gamma?: number;
  seed?: number;
  keep?: 'last' | 'best';
  shuffle: boolean;
  weight?: 'cosine' | 'half';
  learnSot?: boolean;
  loss?: 'ce' | 'double-softmax';
  logitScale?: 'clip' | number;
}

export function configure(command: Command): void {
  command
    .description('Train the prompts of a frozen CLIP on labelled images.')
    .option('--model <dir>', 'model directory (config.json, model.safetensors, merges.txt)')
    .option('--config <run>', 'repeat a run: take its model, data, classes and options where none are given here')
    .requiredOption('--out <run>', 'folder of the run; an interrupted run with the same options and images resumes')
    .addOption(
      new Option('--preset <name>', "paper: follows the text; official: follows the authors' code (default: paper)")
        .choices(['paper', 'official'])
        .conflicts('config'),
    )
    .addOption(
      new Option(
        '--mode <mode>',
        'class-specific (cs) and instance-specific (is) prompts: both, either, or none',
      ).choices(MODES),
    )
    .option('--template <words>', 'words before the class word: the initial values of the learned tokens')
    .option(
      '--init-noise <share>',
      'normal noise on the initial tokens, as a share of their root mean square (default: 0)',
      parseShare,
    )
    .addOption(classesOption())
    .option('--epochs <n>', 'passes over the training images', parseInteger())
    .option('--batch-size <n>', 'images per step', parseInteger())
    .option(
      '--lr <x>',
      `learning rate, or auto: the best of ${PAPER_LEARNING_RATES.join(', ')} by validation`,
      parseRate,
    )
    .addOption(new Option('--optimizer <name>', 'optimiser').choices(['sgd', 'adamw']))
    .option('--step-size <n>', 'epochs between two decays of the learning rate', parseInteger())
    .option('--gamma <x>', 'factor of the learning rate every step-size epochs', parsePositive)
    .option('--seed <n>', 'seed of the image order and of the initial noise (default: 0)', parseSeed)
    .addOption(
      new Option(
        '--keep <epoch>',
        "epoch whose prompts are kept: the last, or the best on the validation images as in the authors' code (default: last)",
      ).choices(['last', 'best']),
    )
    .option('--no-shuffle', 'keep the images in order of class and file name')
    .addOption(
      new Option('--weight <form>', 'weight of a token: the cosine, or (cosine + 1) / 2').choices(['cosine', 'half']),
    )
    .option('--learn-sot', 'also learn the start-of-text token')
    .option('--no-learn-sot', 'keep the start-of-text token fixed')
    .addOption(
      new Option('--loss <loss>', 'cross-entropy of logits, or of softmax(logits)').choices(['ce', 'double-softmax']),
    )
    .option('--logit-scale <x>', "factor of the cosines: a number, or clip for the checkpoint's", parseLogitScale)
    .addOption(deviceOption())
    .addOption(memoryOption())
    .addOption(strictOption())
    .addOption(truncatedOption())
    .addOption(jsonOption());
  addDatasetOptions(command, 'folder of the data set, or a .csv or .json manifest of images');
  addCacheOptions(command).action(async (options: TrainOptions) => {
    const { metrics: last, skipped, truncated } = await train(options);
    for (const { learningRate, valAccuracy } of last.choice)
      say(`learning rate ${learningRate}: validation accuracy ${percent(valAccuracy)}`);
    if (options.json) printJson({ run: options.out, ...last, skipped, truncated });
    else
      print(
        `${options.out}: ${last.choice.length > 0 ? `learning rate ${last.learningRate}, ` : ''}train accuracy ${percent(last.trainAccuracy)}, validation accuracy ${percent(last.valAccuracy)}`,
      );
    saySkipped(skipped, truncated);
  });
  addExamples(command, [
    ['ptdpc train --model clip-vit-b32 --data fi --out runs/fi', 'as in the paper'],
    ['ptdpc train --model clip-vit-b32 --data fi --out runs/fi-official --preset official', "as in the authors' code"],
    [
      'ptdpc train --model clip-vit-b32 --data fi --out runs/fi-cs --mode cs --lr 0.01 --seed 3',
      'class-specific prompts only',
    ],
    ['ptdpc train --config runs/fi --out runs/fi-again --seed 1', 'a run again, with another seed'],
    [
      'ptdpc train --model clip-vit-b32 --data pets --out runs/pets --classes joy=happy,fear',
      'two of the folders, one with another word',
    ],
  ]);
}

/** The last epoch's metrics, the images that took no part, and the paths of those that did though their files are cut short. */
export interface TrainResult {
  metrics: TunedRun;
  skipped: readonly SkippedImage[];
  truncated: readonly string[];
}

/** Trains, or resumes a training. */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { out, memory } = options;
  const before = options.config === undefined ? undefined : await readConfig(options.config);
  const tuning = tuningOf(options, before?.options);
  const { root, ...dataset } = datasetOf(options, before);
  const model = options.model ?? before?.model.directory;
  if (model === undefined) throw new InputError('--model <dir>: missing');
  let done = 0;
  let skipped: readonly SkippedImage[] = [];
  let cut: readonly string[] = [];
  using _epochs = whenInterrupted(() => `${state(done, tuning.epochs, options)} with: ${commandLine()}`);
  const metrics = await tunePrompts({
    ...{ model, data: root, dataset, out, options: tuning },
    rates: options.lr === 'auto' ? PAPER_LEARNING_RATES : undefined,
    classes: options.classes ?? before?.classes,
    openDevice: () => openReportedDevice(options.device),
    cacheDirectory: cacheDirectory(options),
    memory,
    strict: options.strict ?? before?.strict,
    truncated: options.truncated ?? before?.truncated,
    events: TERMINAL,
    onSkipped: (images, paths) => {
      skipped = images;
      cut = paths;
      // The list itself would have scrolled away by the last epoch.
      if (images.length > 0) say(`${counted(images.length, 'image')} cannot be read and will be listed at the end`);
      if (cut.length > 0) say(`${counted(cut.length, 'truncated image')} read as far as they go; listed at the end`);
    },
    onEpoch: (metrics) => {
      done = metrics.epoch + 1;
      say(epochLine(metrics, tuning.epochs));
    },
  });
  return { metrics, skipped, truncated: cut };
}

function state(done: number, epochs: number, options: CacheOptions): string {
  if (done > 0) return `${done} of ${epochs} epochs are done; resume`;
  return cacheDirectory(options) === undefined ? 'start again' : 'features encoded so far are kept; resume';
}

function epochLine({ epoch, trainLoss, trainAccuracy, valAccuracy }: EpochMetrics, epochs: number): string {
  const validation = valAccuracy === null ? '' : `, validation accuracy ${percent(valAccuracy)}`;
  return `epoch ${epoch + 1}/${epochs}: loss ${trainLoss.toFixed(4)}, train accuracy ${percent(trainAccuracy)}${validation}`;
}

/** The record of a run, given by its folder or its run.json. */
function readConfig(path: string): Promise<PromptsRecord> {
  return readPromptsRecord(basename(path) === 'run.json' ? dirname(path) : path);
}

function datasetOf({ data, dataset, fold, splitSeed }: TrainOptions, before: PromptsRecord | undefined) {
  const chosen = { setting: dataset, fold, seed: splitSeed };
  if (before) return datasetOfRun(before, { root: data, ...chosen });
  if (data === undefined) throw new InputError('--data <path>: missing');
  return { root: data, ...chosen };
}

/** The preset, or the options of a run, with what the command line replaces in it. */
function tuningOf(options: TrainOptions, before: TuningOptions | undefined): TuningOptions {
  const { mode, template, epochs, batchSize, lr, optimizer, stepSize, gamma, seed, keep } = options;
  // Commander gives true if the flag is absent.
  const shuffle = options.shuffle ? before?.shuffle : false;
  const { initNoise, weight, learnSot, loss, logitScale } = options;
  const given = {
    mode,
    template,
    epochs,
    batchSize,
    learningRate: lr === 'auto' ? undefined : lr,
    optimizer,
    stepSize,
    gamma,
    seed,
    shuffle,
    keep,
  };
  const all = { ...given, initNoise, weight, learnSot, loss, logitScale };
  const set = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return tuningOptions(options.preset ?? before?.preset ?? 'paper', { ...before, ...set } as Partial<TuningOptions>);
}

function parseLogitScale(text: string): 'clip' | number {
  if (text === 'clip') return text;
  try {
    return parsePositive(text);
  } catch {
    throw new InvalidArgumentError('Expected clip or a number above 0.');
  }
}
