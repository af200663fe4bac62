/** The data sets of a plan: where they lie below one folder, and their images for one seed. */
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { InputError } from '../../errors.js';
import { type Dataset, imagesOf, type LabelledPath, NAMED_SETTINGS, SETTINGS } from '../../ptdpc/datasets/index.js';
import { PAPER_SETTINGS, type PlanSetting } from '../../ptdpc/experiment/index.js';
import type { ClassName } from '../../ptdpc/index.js';
import { openDataset } from '../datasets/index.js';
import { errorCode } from '../system-error.js';

export interface SettingData {
  /** For the record of a training. */
  source: Pick<Dataset, 'root' | 'setting' | 'origin'>;
  classes: readonly ClassName[];
  train: readonly LabelledPath[];
  /** Null where the data set has none. */
  val: readonly LabelledPath[] | null;
  test: readonly LabelledPath[];
}

/**
 * The images of a setting for a seed. The seed draws the split where none is given; where the data set is in folds it is the fold, of one
 * partition (a plan has no more seeds than folds there).
 */
export async function settingData({ root, dataset }: PlanSetting, seed: number): Promise<SettingData> {
  const setting = NAMED_SETTINGS.find((name) => name === dataset);
  if (!setting)
    throw new InputError(`${root}: expected one of the settings ${NAMED_SETTINGS.join(', ')}, found ${dataset}`);
  let data: Dataset = await openDataset(root, { setting, seed });
  const { origin } = data;
  if ('fold' in origin) {
    if (seed >= origin.folds)
      throw new InputError(`${root}: seed ${seed} has no fold of its own, since there are ${origin.folds} folds`);
    data = await openDataset(root, { setting, seed: 0, fold: seed + 1 });
  }
  const { classes, splits } = data;
  const [train, test] = [imagesOf(data, 'train'), imagesOf(data, 'test')];
  return { source: data, classes, train, val: splits.val ?? null, test };
}

/** Names of a data set's folder, in lower case and without separators. */
const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  fi: ['fi', 'flickrinstagram'],
  emotionroi: ['emotionroi'],
  twitter1: ['twitter1', 'twitteri'],
  twitter2: ['twitter2', 'twitterii'],
};

/**
 * The settings that `wanted` names (`fi8`, or `fi8=/elsewhere/FI`), each with its folder below `dataRoot`; without it those of the paper
 * whose folder is there. Throws InputError where a wanted one is not, or none is.
 */
export async function findSettings(dataRoot: string, wanted: readonly string[] | undefined): Promise<PlanSetting[]> {
  const folders = await readdir(dataRoot).catch((error: unknown) => {
    throw new InputError(`--data-root ${dataRoot}: cannot be listed (${errorCode(error)})`);
  });
  const settings: PlanSetting[] = [];
  for (const item of wanted ?? PAPER_SETTINGS) {
    const [text = '', place] = item.split('=').map((part) => part.trim());
    const name = NAMED_SETTINGS.find((known) => known === text);
    if (!name) throw new InputError(`--settings: expected some of ${NAMED_SETTINGS.join(', ')}, found ${text}`);
    const names = FOLDERS[name] ?? FOLDERS[name.replace(/\d$/, '')] ?? [name.replace(/\d$/, '')];
    const folder = folders.find((found) => names.includes(found.toLowerCase().replace(/[^a-z0-9]/g, '')));
    const root = place ?? (folder === undefined ? undefined : join(dataRoot, folder));
    if (root !== undefined)
      settings.push({ name, label: SETTINGS[name].label, dataset: name, root: resolve(root), folds: null });
    else if (wanted)
      throw new InputError(`--settings ${name}: no folder ${names[0]} in ${dataRoot}; say where with ${name}=<folder>`);
  }
  if (settings.length === 0) {
    throw new InputError(
      `--data-root ${dataRoot}: expected folders named ${Object.keys(FOLDERS).join(', ')}, found none of them`,
    );
  }
  return settings;
}

/** Opens each setting once, so that a plan is of data sets that are there and knows their folds. `warnings` are what is not as published. */
export async function openSettings(settings: readonly PlanSetting[]) {
  const warnings = new Set<string>();
  const opened: PlanSetting[] = [];
  for (const planned of settings) {
    const { root, dataset } = planned;
    const setting = NAMED_SETTINGS.find((name) => name === dataset);
    const data = await openDataset(root, { setting });
    imagesOf(data, 'train');
    imagesOf(data, 'test');
    for (const warning of data.warnings) warnings.add(warning);
    opened.push({ ...planned, folds: 'fold' in data.origin ? data.origin.folds : null });
  }
  return { settings: opened, warnings };
}
