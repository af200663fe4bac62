/** `ptdpc train`: trains prompts on labelled images. */
import { basename, dirname } from 'node:path';
import { type Command, Option } from 'commander';
import { counted, InputError } from '../errors.js';
import { type FeatureFacts, featureFactsOf } from '../learners/features/facts.js';
import { IMAGE_LEARNERS, type ImageLearner, imageOptions, isImageLearner } from '../learners/images/index.js';
import { LEARNERS, learnerNamed } from '../learners/index.js';
import {
  CONTEXT_LEARNERS,
  type ContextTuning,
  contextOptions,
  isContextLearner,
  isPtDpc,
  learnerOf,
  type PromptOptions,
  publishedEpochs,
} from '../learners/prompts/index.js';
import type { SkippedImage } from '../node/image-files.js';
import type { FeaturesRecord, TrainingRecord } from '../node/run-record.js';
import type { TunedRun } from '../node/tune-prompts.js';
import { PAPER_LEARNING_RATES } from '../ptdpc/experiment/paper-tables.js';
import type { EpochMetrics } from '../ptdpc/index.js';
import {
  checkedOptions,
  flagOf,
  type OptionField,
  SHARED_DEFAULTS,
  TUNING_FIELDS,
  type TuningOptions,
  tuningOptions,
} from '../ptdpc/options.js';
import {
  addDatasetOptions,
  addSubsetOptions,
  classesOption,
  type DataOptions,
  type SubsetOptions,
  subsetOf,
} from './dataset.js';
import { imageJob } from './device.js';
import {
  addExamples,
  addFields,
  addJobOptions,
  fieldOption,
  givenFields,
  type JobOptions,
  parseInteger,
  rateOption,
} from './options.js';
import { missing, print, printJson, say, saySkipped } from './output.js';
import { percent } from './tables.js';

/** The command's options; those of PT-DPC by their names on the command line, and of the other learners beside them. */
export interface TrainOptions
  extends JobOptions,
    SubsetOptions,
    Partial<DataOptions>,
    Partial<Omit<TuningOptions, 'learningRate'>> {
  config?: string;
  learner?: string;
  model?: string;
  out: string;
  classes?: string;
  views?: number;
  lr?: number | 'auto';
  depth?: number;
}

/** What holds of an option in which the presets differ. */
const PRESETS_VALUE = "the preset's";

const ALL_FIELDS: Readonly<Record<string, OptionField>> = Object.fromEntries(
  LEARNERS.toReversed().flatMap(({ fields }) => Object.entries(fields)),
);

/** What holds without an option: PT-DPC's value if it has the option, then those of other learners, where they differ. */
function standardOf(name: string): string | undefined {
  const own = name in TUNING_FIELDS ? String(Reflect.get(SHARED_DEFAULTS, name) ?? PRESETS_VALUE) : undefined;
  const learnersOf = new Map<string, string[]>();
  for (const { name: learner, fields, defaults } of LEARNERS) {
    if (learner === 'pt-dpc' || !(name in fields)) continue;
    const value = defaults[name] === '' ? '""' : String(defaults[name]);
    if (value !== own) learnersOf.set(value, [...(learnersOf.get(value) ?? []), learner]);
  }
  const others = [...learnersOf].map(([value, learners]) =>
    own === undefined && learnersOf.size === 1 ? value : `${learners.join(', ')}: ${value}`,
  );
  return [...(own === undefined ? [] : [own]), ...others].join('; ') || undefined;
}

export function configure(command: Command): void {
  command
    .description(
      'Train the prompts of a frozen CLIP on labelled images, by PT-DPC or another learner (ptdpc learners lists them).',
    )
    .option('--model <dir>', 'model directory (config.json, model.safetensors, merges.txt)')
    .option('--config <run>', 'repeat a run: take its model, data, classes and options, unless given here')
    .requiredOption('--out <run>', 'folder of the run; an interrupted run with the same options and images resumes')
    .addOption(
      new Option('--learner <name>', "what learns (default: pt-dpc, or the run's of --config)").choices(
        LEARNERS.map(({ name }) => name),
      ),
    )
    .addOption(fieldOption(TUNING_FIELDS.preset, 'paper').conflicts('config'));
  const { preset: _, learningRate: _rate, ...fields } = { ...TUNING_FIELDS, ...ALL_FIELDS };
  addFields(command, fields, Object.fromEntries(Object.keys(fields).map((name) => [name, standardOf(name)])))
    .addOption(rateOption(`by validation (default: ${standardOf('learningRate')})`))
    .addOption(classesOption())
    .addHelpText('after', '\nWhat the presets are, and what each option means: docs/method.md#options.');
  addSubsetOptions(addDatasetOptions(command, 'folder of the data set, or a .csv or .json manifest of images')).option(
    '--views <n>',
    'augment: train on so many random crops of each image, mirrored or not, in turn by epoch; each is encoded once',
    parseInteger(),
  );
  addJobOptions(command).action(async (options: TrainOptions) => {
    const before = options.config === undefined ? undefined : await readConfig(options.config);
    const name = options.learner ?? (before && nameOf(before)) ?? 'pt-dpc';
    const onFeatures = featureFactsOf(name);
    if (onFeatures) {
      await fitOnFeatures(onFeatures, options, before);
      return;
    }
    if (isImageLearner(name)) {
      await trainImages(name, options, before);
      return;
    }
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
      'ptdpc train --model clip-vit-b32 --data fi --out runs/fi-16 --shots 16 --seed 1',
      'few-shot: 16 images of each class, chosen by seed 1',
    ],
    [
      'ptdpc train --model clip-vit-b32 --data fi --out runs/fi-16-views --shots 16 --views 10',
      'the same with ten random crops of each, in turn by epoch',
    ],
    [
      'ptdpc train --model clip-vit-b32 --data fi --out runs/fi-coop --learner coop --shots 16',
      'CoOp, on 16 images of each class',
    ],
    [
      'ptdpc train --model clip-vit-b32 --data fi --out runs/fi-tip --learner tip-adapter-f --shots 16',
      'Tip-Adapter-F, a learner on features, on the same images',
    ],
    [
      'ptdpc train --model clip-vit-b32 --data fi --out runs/fi-maple --learner maple --shots 16',
      'MaPLe, which learns tokens of the image tower too, on the same images',
    ],
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
  const { tunePrompts } = await import('../node/tune-prompts.js');
  const { out } = options;
  const before = options.config === undefined ? undefined : await readConfig(options.config);
  const tuning = tuningOf(options, before?.learner === 'prompts' ? before.options : undefined);
  const { job, notes } = await jobOf(options, before, tuning.seed);
  const metrics = await tunePrompts({
    ...{ ...job, out, options: tuning },
    rates: options.lr === 'auto' ? PAPER_LEARNING_RATES : undefined,
    onEpoch: (metrics) => say(epochLine(metrics, tuning.epochs)),
  });
  return { metrics, ...notes };
}

/** What the trainings of all learners are given, and the images that take no part, once they are known. */
async function jobOf(options: TrainOptions, before: TrainedRecord | undefined, seed: number) {
  const { root, ...dataset } = await datasetOf(options, before, seed);
  const model = options.model ?? before?.model.directory;
  if (model === undefined) throw missing('--model <dir>', '--config <run>');
  const notes = { skipped: [] as readonly SkippedImage[], truncated: [] as readonly string[] };
  const job = {
    ...imageJob(options, true),
    ...{ model, data: root, dataset },
    classes: options.classes ?? (options.half === undefined ? before?.classes : undefined),
    strict: options.strict ?? before?.strict,
    truncated: options.truncated ?? before?.truncated,
    onSkipped: (images: readonly SkippedImage[], cut: readonly string[]) => {
      notes.skipped = images;
      notes.truncated = cut;
      // The list itself would have scrolled away by the last epoch.
      if (images.length > 0) say(`${counted(images.length, 'image')} cannot be read and will be listed at the end`);
      if (cut.length > 0) say(`${counted(cut.length, 'truncated image')} read as far as they go; listed at the end`);
    },
  };
  return { job, notes };
}

/** Trains learned tokens of the image tower, or resumes a training. */
async function trainImages(
  learner: ImageLearner,
  options: TrainOptions,
  before: TrainedRecord | undefined,
): Promise<void> {
  const { tuneImages } = await import('../node/tune-images.js');
  const { out } = options;
  const { fields } = IMAGE_LEARNERS[learner];
  refuseRates(learner, options);
  requireOptionsOf(learner, fields, options);
  const own = before?.learner === 'images' && before.options.learner === learner ? before.options : undefined;
  const { learner: _, ...repeated } = own ?? { learner };
  const tuning = imageOptions(learner, { ...repeated, ...givenFields(fields, options) });
  const { job, notes } = await jobOf(options, before, tuning.seed);
  const last = await tuneImages({
    ...{ ...job, out, options: tuning, limitDepth: options.depth === undefined },
    onEpoch: (metrics) => say(epochLine(metrics, tuning.epochs)),
  });
  if (options.json) printJson({ run: out, learner, ...last, ...notes });
  else print(`${out}: train accuracy ${percent(last.trainAccuracy)}, validation accuracy ${percent(last.valAccuracy)}`);
  saySkipped(notes.skipped, notes.truncated);
}

/** Throws InputError for `--lr auto`, which is for prompts of texts. */
function refuseRates(learner: string, { lr }: TrainOptions): void {
  if (lr === 'auto')
    throw new InputError(
      `--lr auto: expected a number for --learner ${learner}, whose rate is not chosen by validation`,
    );
}

function epochLine({ epoch, trainLoss, trainAccuracy, valAccuracy }: EpochMetrics, epochs: number): string {
  const validation = valAccuracy === null ? '' : `, validation accuracy ${percent(valAccuracy)}`;
  return `epoch ${epoch + 1}/${epochs}: loss ${trainLoss.toFixed(4)}, train accuracy ${percent(trainAccuracy)}${validation}`;
}

/** Fits a learner on features. */
async function fitOnFeatures(
  learner: FeatureFacts,
  options: TrainOptions,
  before: TrainedRecord | undefined,
): Promise<void> {
  const { fitFeatures } = await import('../node/fit-features.js');
  const { out } = options;
  const { name, fields, defaults } = learner;
  refuseRates(name, options);
  requireOptionsOf(name, fields, options);
  const own = before?.learner === 'features' && before.name === name ? before.options : undefined;
  const epochs = options.shots === undefined || own ? undefined : learner.publishedEpochs?.(options.shots);
  const fitting = checkedOptions(fields, {
    ...defaults,
    ...own,
    ...(epochs !== undefined && { epochs }),
    ...givenFields(fields, options),
  });
  const { job, notes } = await jobOf(options, before, Number(fitting.seed));
  const fitted = await fitFeatures({ ...job, out, learner: name, options: fitting });
  const { train, validation, choice, constants } = fitted;
  const [trainAccuracy, valAccuracy] = [train.accuracy, validation?.accuracy ?? null];
  if (options.json)
    printJson({
      run: out,
      learner: name,
      constants,
      choice,
      epochs: fitted.epochs,
      trainAccuracy,
      valAccuracy,
      ...notes,
    });
  else {
    const chosen = Object.keys(choice[0]?.values ?? {}).filter((key) => key in constants);
    const values = chosen.map((key) => `${key} ${Number(constants[key]!.toPrecision(4))}, `).join('');
    print(`${out}: ${values}train accuracy ${percent(trainAccuracy)}, validation accuracy ${percent(valAccuracy)}`);
  }
  saySkipped(notes.skipped, notes.truncated);
}

type TrainedRecord = TrainingRecord | FeaturesRecord;

/** The record of a run, given by its folder or its run.json. */
async function readConfig(path: string): Promise<TrainedRecord> {
  const { readRunRecord, readPromptsRecord } = await import('../node/run-record.js');
  const folder = basename(path) === 'run.json' ? dirname(path) : path;
  const record = await readRunRecord(folder);
  return record.learner === 'features' || record.learner === 'images' ? record : await readPromptsRecord(folder);
}

/** The name of the learner of a run. */
function nameOf(record: TrainedRecord): string {
  return record.learner === 'features' ? record.name : learnerOf(record.options);
}

async function datasetOf(options: TrainOptions, before: TrainedRecord | undefined, seed: number) {
  const { datasetOfRun } = await import('../node/evaluate-run.js');
  const { data, dataset, fold, splitSeed } = options;
  const { shots } = before?.dataset.origin ?? {};
  // A run that is repeated with another seed takes the images of that seed, as every training with shots does.
  const again = shots && { shots: shots.images, shotsSeed: options.seed ?? shots.seed };
  const chosen = {
    setting: dataset,
    fold,
    seed: splitSeed,
    views: options.views,
    ...subsetOf({ ...again, ...options }, seed),
  };
  if (before) return await datasetOfRun(before, { root: data, ...chosen });
  if (data === undefined) throw missing('--data <path>', '--config <run>');
  return { root: data, ...chosen };
}

/** A learner's defaults, or the options of a run of the same learner, with what the command line replaces in them. */
function tuningOf(options: TrainOptions, run: PromptOptions | undefined): PromptOptions {
  const { learner = run ? learnerOf(run) : 'pt-dpc', lr } = options;
  const before = run && learnerOf(run) === learner ? run : undefined;
  const fields = learnerNamed(learner).fields;
  const given = { ...options, lr: lr === 'auto' ? undefined : lr };
  requireOptionsOf(learner, fields, given);
  if (!isContextLearner(learner)) {
    const own = before && isPtDpc(before) ? before : undefined;
    const preset = options.preset ?? own?.preset ?? 'paper';
    return tuningOptions(preset, { ...own, ...givenFields(TUNING_FIELDS, given) });
  }
  const epochs = before === undefined ? publishedEpochs(learner, options.shots) : undefined;
  const { learner: _, ...own } = (before ?? { learner }) as Partial<ContextTuning>;
  return contextOptions(learner, {
    ...own,
    ...(epochs !== undefined && { epochs }),
    ...givenFields(CONTEXT_LEARNERS[learner].fields, given),
  });
}

/** Throws InputError if the command line gives an option that the learner does not have. */
function requireOptionsOf(learner: string, fields: Readonly<Record<string, OptionField>>, given: object): void {
  for (const [name, field] of Object.entries(ALL_FIELDS))
    if (!(name in fields) && name in givenFields({ [name]: field }, given)) throw notOf(learner, field, fields);
}

function notOf(learner: string, field: OptionField, fields: Readonly<Record<string, OptionField>>): InputError {
  const its = Object.values(fields).map(flagOf);
  return new InputError(`${flagOf(field)}: not an option of --learner ${learner}, which takes ${its.join(', ')}`);
}
