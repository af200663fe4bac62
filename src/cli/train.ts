/** `ptdpc train`: tunes prompts on labelled images. */
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { TextTower, TokenEmbeddings } from '../clip/towers/index.js';
import { InputError } from '../errors.js';
import { readClasses, readSplit, unusedFolders } from '../node/dataset.js';
import type { DeviceChoice } from '../node/device-choice.js';
import { openModelDirectory } from '../node/model-directory.js';
import { packageVersion } from '../node/package.js';
import { RunDirectory } from '../node/run-directory.js';
import {
  type EpochMetrics,
  MODES,
  type Mode,
  type Preset,
  PromptModel,
  promptText,
  requireTrainingMemory,
  stepsPerEpoch,
  type TuningOptions,
  trainPrompts,
  tuningOptions,
} from '../ptdpc/index.js';
import { Engine } from '../tensor/index.js';
import { openReportedDevice } from './device.js';
import { encodeSplit } from './encoding.js';
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
  strictOption,
} from './options.js';
import { count, print, printJson, say, saySkipped } from './output.js';
import { progress } from './progress.js';
import { percent } from './tables.js';

export interface TrainOptions extends CacheOptions {
  model: string;
  data: string;
  out: string;
  classes?: string;
  device: DeviceChoice;
  memory: number;
  strict?: boolean;
  json?: boolean;
  preset: Preset;
  mode?: Mode;
  template?: string;
  epochs?: number;
  batchSize?: number;
  lr?: number;
  optimizer?: 'sgd' | 'adamw';
  stepSize?: number;
  gamma?: number;
  seed?: number;
  shuffle: boolean;
  weight?: 'cosine' | 'half';
  learnSot?: boolean;
  loss?: 'ce' | 'double-softmax';
  logitScale?: 'clip' | number;
}

export function configure(command: Command): void {
  command
    .description('Tune the prompts of a frozen CLIP on a folder of labelled images.')
    .addOption(modelOption())
    .requiredOption('--data <dir>', 'images in {train,val,test}/<class>/')
    .requiredOption('--out <run>', 'folder of the run; an interrupted run with the same options goes on')
    .addOption(
      new Option('--preset <name>', "paper: as in the text; official: as in the authors' code")
        .choices(['paper', 'official'])
        .default('paper'),
    )
    .addOption(
      new Option('--mode <mode>', 'what a prompt is composed from: class and image, either, or neither').choices(MODES),
    )
    .option('--template <words>', 'words before the class word, where the learned tokens start')
    .option('--classes <list>', 'classes in order: folder or folder=word, separated by commas')
    .option('--epochs <n>', 'times through the images', parseInteger())
    .option('--batch-size <n>', 'images per update', parseInteger())
    .option('--lr <x>', 'learning rate', parsePositive)
    .addOption(new Option('--optimizer <name>', 'optimiser').choices(['sgd', 'adamw']))
    .option('--step-size <n>', 'epochs after which the learning rate is multiplied by gamma', parseInteger())
    .option('--gamma <x>', 'factor of the learning rate', parsePositive)
    .option('--seed <n>', 'seed of the order of images (default: 0)', parseSeed)
    .option('--no-shuffle', 'take images in class order, then by file name')
    .addOption(
      new Option('--weight <form>', 'weight of a token: its cosine, or (cosine + 1) / 2').choices(['cosine', 'half']),
    )
    .option('--learn-sot', 'learn the start-of-text token too')
    .option('--no-learn-sot', 'keep the start-of-text token')
    .addOption(
      new Option('--loss <loss>', 'cross-entropy of logits, or of softmax(logits)').choices(['ce', 'double-softmax']),
    )
    .option('--logit-scale <x>', "factor of the cosines: a number, or clip for the checkpoint's own", parseLogitScale)
    .addOption(deviceOption())
    .addOption(memoryOption())
    .addOption(strictOption())
    .addOption(jsonOption());
  addCacheOptions(command).action(async (options: TrainOptions) => {
    const last = await train(options);
    if (options.json) printJson({ run: options.out, ...last });
    else
      print(
        `${options.out}: train accuracy ${percent(last.trainAccuracy)}, validation accuracy ${percent(last.valAccuracy)}`,
      );
  });
  addExamples(command, [
    ['ptdpc train --model clip-vit-b32 --data fi --out runs/fi', 'tune as in the paper'],
    [
      'ptdpc train --model clip-vit-b32 --data fi --out runs/fi-official --preset official',
      "tune as the authors' code does",
    ],
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

/** Trains, or goes on training, and returns the last epoch's metrics. */
export async function train(options: TrainOptions): Promise<EpochMetrics> {
  const tuning = tuningOf(options);
  await RunDirectory.requirePlace(options.out);
  await using model = await openModelDirectory(options.model);
  const classes = await readClasses(options.data, 'train', options.classes);
  if (classes.length < 2) {
    throw new InputError(
      `${options.data}: expected at least two classes to tell apart, found one ("${classes[0]?.folder}")`,
    );
  }
  const trainImages = (await readSplit(options.data, 'train', classes)) ?? [];
  const valImages = await readSplit(options.data, 'val', classes, true);
  const unused = await unusedFolders(options.data, 'train', classes);
  if (unused.length > 0) say(`not among the classes, so left out: ${unused.join(', ')}`);
  const words = classes.map(({ word }) => word);
  const text = promptText(await model.tokenizer(), tuning.template, words, model.config.text.context);

  using device = await openReportedDevice(options.device);
  const { backend } = device;
  const engine = new Engine(backend);
  const images = await encodeSplit(engine, model, trainImages, classes, options);
  const held = valImages && (await encodeSplit(engine, model, valImages, classes, options));
  saySkipped([...images.skipped, ...(held?.skipped ?? [])]);

  using tower = await TextTower.load(engine, model.clip, model.config);
  using prompts = await PromptModel.create(tower, new TokenEmbeddings(model.clip), text, tuning);
  requireTrainingMemory(prompts, options.memory);
  const record = {
    program: packageVersion(),
    node: process.version,
    options: tuning,
    classes,
    model: { directory: resolve(options.model), sha256: await model.hash() },
    data: resolve(options.data),
    images: { train: images.labels.length, val: held?.labels.length ?? null },
    device: { kind: backend.kind, description: backend.description },
    memory: options.memory,
    strict: options.strict ?? false,
  };
  const run = await RunDirectory.open(options.out, record, prompts.prompts.size);
  await run.begin();
  let last = await run.lastEpoch();
  const done = run.state?.epochs ?? 0;
  if (last && done >= tuning.epochs) {
    say(`${options.out}: all ${tuning.epochs} epochs are done already`);
    return last;
  }
  if (done > 0) say(`${options.out}: going on after epoch ${done} of ${tuning.epochs}`);

  const steps = stepsPerEpoch(images.labels.length, tuning.batchSize);
  say(
    `tuning ${prompts.prompts.size} numbers in ${prompts.prompts.shape[0]} x ${prompts.prompts.shape[1]} tokens on ` +
      `${count(images.labels.length, 'image')} of ${classes.length} classes, ${steps} steps an epoch`,
  );
  using bar = progress((tuning.epochs - done) * images.labels.length, 'tuning', 'images');
  await trainPrompts({
    model: prompts,
    options: tuning,
    train: images,
    validation: held,
    memory: options.memory,
    resume: run.state,
    onStep: (metrics, images) => {
      run.step(metrics);
      bar.tick(images, `epoch ${metrics.epoch + 1}/${tuning.epochs}, loss ${metrics.loss.toFixed(4)}`);
    },
    onEpoch: async (metrics, state) => {
      await run.epoch(metrics, state, prompts.prompts.shape);
      last = metrics;
      if (!process.stderr.isTTY) say(epochLine(metrics, tuning.epochs));
    },
  });
  if (!last) throw new Error('training ended without an epoch');
  return last;
}

function epochLine({ epoch, trainLoss, trainAccuracy, valAccuracy }: EpochMetrics, epochs: number): string {
  const validation = valAccuracy === null ? '' : `, validation accuracy ${percent(valAccuracy)}`;
  return `epoch ${epoch + 1}/${epochs}: loss ${trainLoss.toFixed(4)}, train accuracy ${percent(trainAccuracy)}${validation}`;
}

/** The preset with what the command line replaces in it. */
function tuningOf(options: TrainOptions): TuningOptions {
  const { mode, template, epochs, batchSize, lr, optimizer, stepSize, gamma, seed, shuffle } = options;
  const { weight, learnSot, loss, logitScale } = options;
  const given = { mode, template, epochs, batchSize, learningRate: lr, optimizer, stepSize, gamma, seed, shuffle };
  const all = { ...given, weight, learnSot, loss, logitScale };
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
