/** `ptdpc train`: tunes prompts on labelled images. */

import { type Command, InvalidArgumentError, Option } from 'commander';
import type { TruncatedImages } from '../clip/image/index.js';
import { counted } from '../errors.js';
import type { DeviceChoice } from '../node/device-choice.js';
import type { SkippedImage } from '../node/image-files.js';
import { whenInterrupted } from '../node/interrupt.js';
import { tunePrompts } from '../node/tune-prompts.js';
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
  modelOption,
  parseInteger,
  parsePositive,
  parseSeed,
  parseShare,
  strictOption,
  truncatedOption,
} from './options.js';
import { print, printJson, say, saySkipped } from './output.js';
import { TERMINAL } from './progress.js';
import { percent } from './tables.js';

export interface TrainOptions extends CacheOptions, DataOptions {
  model: string;
  out: string;
  classes?: string;
  device: DeviceChoice;
  memory: number;
  strict?: boolean;
  truncated?: TruncatedImages;
  json?: boolean;
  preset: Preset;
  mode?: Mode;
  template?: string;
  initNoise?: number;
  epochs?: number;
  batchSize?: number;
  lr?: number;
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
    .addOption(modelOption())
    .requiredOption('--out <run>', 'folder of the run; an interrupted run with the same options and images resumes')
    .addOption(
      new Option('--preset <name>', "paper: follows the text; official: follows the authors' code")
        .choices(['paper', 'official'])
        .default('paper'),
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
    .option('--lr <x>', 'learning rate', parsePositive)
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
  addDatasetOptions(command);
  addCacheOptions(command).action(async (options: TrainOptions) => {
    const { metrics: last, skipped, truncated } = await train(options);
    if (options.json) printJson({ run: options.out, ...last, skipped, truncated });
    else
      print(
        `${options.out}: train accuracy ${percent(last.trainAccuracy)}, validation accuracy ${percent(last.valAccuracy)}`,
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
    [
      'ptdpc train --model clip-vit-b32 --data pets --out runs/pets --classes joy=happy,fear',
      'two of the folders, one with another word',
    ],
  ]);
}

/** The last epoch's metrics, the images that took no part, and the paths of those that did though their files are cut short. */
export interface TrainResult {
  metrics: EpochMetrics;
  skipped: readonly SkippedImage[];
  truncated: readonly string[];
}

/** Trains, or goes on training. */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { model, data, dataset, fold, splitSeed, out, classes, memory, strict, truncated } = options;
  const tuning = tuningOf(options);
  let done = 0;
  let skipped: readonly SkippedImage[] = [];
  let cut: readonly string[] = [];
  using _epochs = whenInterrupted(() => `${state(done, tuning.epochs, options)} with: ${commandLine()}`);
  const metrics = await tunePrompts({
    model,
    data,
    dataset: { setting: dataset, fold, seed: splitSeed },
    out,
    classes,
    options: tuning,
    openDevice: () => openReportedDevice(options.device),
    cacheDirectory: cacheDirectory(options),
    memory,
    strict,
    truncated,
    events: TERMINAL,
    onSkipped: (images, paths) => {
      skipped = images;
      cut = paths;
      // The list itself would be out of sight by the last epoch.
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
  if (done > 0) return `${done} of ${epochs} epochs are done; go on`;
  return cacheDirectory(options) === undefined ? 'start again' : 'features encoded so far are kept; go on';
}

function epochLine({ epoch, trainLoss, trainAccuracy, valAccuracy }: EpochMetrics, epochs: number): string {
  const validation = valAccuracy === null ? '' : `, validation accuracy ${percent(valAccuracy)}`;
  return `epoch ${epoch + 1}/${epochs}: loss ${trainLoss.toFixed(4)}, train accuracy ${percent(trainAccuracy)}${validation}`;
}

/** The preset with what the command line replaces in it. */
function tuningOf(options: TrainOptions): TuningOptions {
  const { mode, template, epochs, batchSize, lr, optimizer, stepSize, gamma, seed, shuffle, keep } = options;
  const { initNoise, weight, learnSot, loss, logitScale } = options;
  const given = {
    mode,
    template,
    epochs,
    batchSize,
    learningRate: lr,
    optimizer,
    stepSize,
    gamma,
    seed,
    shuffle,
    keep,
  };
  const all = { ...given, initNoise, weight, learnSot, loss, logitScale };
  const set = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return tuningOptions(options.preset, set as Partial<TuningOptions>);
}

function parseLogitScale(text: string): 'clip' | number {
  if (text === 'clip') return text;
  try {
    return parsePositive(text);
  } catch {
    throw new InvalidArgumentError('Expected clip or a number above 0.');
  }
}
