/** `--data` and related options: opening a data set and reporting its warnings. */
import { type Command, Option } from 'commander';
import { InputError } from '../errors.js';
import type { DatasetOptions } from '../node/datasets.js';
import { type Dataset, describeDataset, HALVES, type Half, SPLITS } from '../ptdpc/datasets/dataset.js';
import { SETTING_NAMES, type SettingName } from '../ptdpc/datasets/settings.js';
import { parseInteger, parseSeed } from './options.js';
import { say } from './output.js';

/** What `addDatasetOptions` leaves in a command's options. */
export interface DataOptions {
  data: string;
  dataset?: SettingName | undefined;
  fold?: number | undefined;
  splitSeed?: number | undefined;
}

/** Adds `--data`, `--dataset`, `--fold` and `--split-seed`; `data` describes a `--data` that may be left out. */
export function addDatasetOptions(command: Command, data?: string): Command {
  const option = new Option('--data <path>', data ?? 'folder of the data set, or a .csv or .json manifest of images');
  return addChoiceOptions(command.addOption(option.makeOptionMandatory(data === undefined)));
}

/** Adds `--dataset`, `--fold` and `--split-seed`. */
export function addChoiceOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--dataset <name>', 'which data set it is, if its files do not show it (docs/datasets.md)').choices(
        SETTING_NAMES,
      ),
    )
    .option('--fold <k>', 'test fold, for data sets with folds (default: 1)', parseInteger())
    .option('--split-seed <n>', 'seed of the split, if the data set has none (default: 0)', parseSeed);
}

/** What `addSubsetOptions` leaves in a command's options. */
export interface SubsetOptions {
  shots?: number | undefined;
  shotsSeed?: number | undefined;
  half?: Half | undefined;
}

/** Adds `--shots`, `--shots-seed` and `--half`, for commands that train. */
export function addSubsetOptions(command: Command): Command {
  return command
    .option('--shots <n>', 'train on so many images of each class, and validate on as many, at most 4', parseInteger())
    .option('--shots-seed <n>', 'seed by which --shots chooses images (default: that of --seed)', parseSeed)
    .addOption(halfOption('train on'));
}

export const halfOption = (what: string) =>
  new Option(
    '--half <half>',
    `${what} the first (base) or the second (new) half of the classes, in their order`,
  ).choices(HALVES);

/** The images and classes that the options ask for. `seed`: the training's. Throws InputError for a seed of no shots. */
export function subsetOf(
  { shots, shotsSeed, half }: SubsetOptions,
  seed: number,
): Pick<DatasetOptions, 'shots' | 'half'> {
  if (shots === undefined && shotsSeed !== undefined)
    throw new InputError(`--shots-seed ${shotsSeed}: only with --shots <n>`);
  return { half, shots: shots === undefined ? undefined : { images: shots, seed: shotsSeed ?? seed } };
}

export const classesOption = () =>
  new Option('--classes <list>', 'classes in order, comma-separated: name or name=word');

export const splitOption = () => new Option('--split <name>', 'split to evaluate').choices(SPLITS).default('test');

/** Opens the data set that the options name, and says what differs from what it should be. */
export async function openReportedDataset(
  { data, dataset, fold, splitSeed }: DataOptions,
  chosen: Pick<DatasetOptions, 'classes' | 'shots' | 'half'> = {},
): Promise<Dataset> {
  const { openDataset } = await import('../node/datasets.js');
  const opened = await openDataset(data, { setting: dataset, fold, seed: splitSeed, ...chosen });
  for (const line of describeDataset(opened)) say(line);
  return opened;
}
