/** The data sets of a plan: where they lie below one folder, and their images for one seed. */
import { basename, join, resolve } from 'node:path';
import { InputError } from '../../errors.js';
import {
  type Dataset,
  foldersIn,
  imagesOf,
  splitFolders as isSplit,
  type LabelledPath,
  NAMED_SETTINGS,
  type NamedSetting,
  SETTINGS,
  type Setting,
} from '../../ptdpc/datasets/index.js';
import { PAPER_SETTINGS, type PlanSetting } from '../../ptdpc/experiment/index.js';
import type { ClassName } from '../../ptdpc/index.js';
import { openDataset } from '../datasets.js';
import { diskFolder } from '../disk-folder.js';

export interface SettingData {
  /** For the record of a training. */
  source: Pick<Dataset, 'root' | 'setting' | 'origin'>;
  classes: readonly ClassName[];
  train: readonly LabelledPath[];
  /** Null if the data set has none. */
  val: readonly LabelledPath[] | null;
  test: readonly LabelledPath[];
}

/** Which data set it is, and how it is split. */
export interface SplitChoice {
  readonly root: string;
  /** A named one; null: as its files say. */
  readonly dataset: string | null;
  /** Seed of the split where none is given; null: the task's. */
  readonly splitSeed?: number | null;
}

/**
 * The images of a data set for a seed. The seed draws the split if none is given, unless that has a seed of its own; where the data set is in folds
 * the task's seed is the fold, of one partition (a plan has no more seeds than folds there). `shots`: keeps so many training images per class, chosen by
 * the seed as `train --shots` chooses them.
 */
export async function settingData(
  { root, dataset, splitSeed = null }: SplitChoice,
  seed: number,
  shots: number | null = null,
): Promise<SettingData> {
  const data = await openSeed({ root, dataset, splitSeed }, seed, shots);
  const { classes, splits } = data;
  const [train, test] = [imagesOf(data, 'train'), imagesOf(data, 'test')];
  return { source: data, classes, train, val: splits.val ?? null, test };
}

/** The data set that `settingData` reads. */
export async function openSeed(
  { root, dataset, splitSeed = null }: SplitChoice,
  seed: number,
  shots: number | null,
): Promise<Dataset> {
  const setting = NAMED_SETTINGS.find((name) => name === dataset);
  if (dataset !== null && !setting)
    throw new InputError(`${root}: expected one of the settings ${NAMED_SETTINGS.join(', ')}, found ${dataset}`);
  const few = shots === null ? {} : { shots: { images: shots, seed } };
  const data = await openDataset(root, { setting, seed: splitSeed ?? seed, ...few });
  const { origin } = data;
  if (!('fold' in origin)) return data;
  if (seed >= origin.folds)
    throw new InputError(`${root}: seed ${seed} has no fold of its own, since there are ${origin.folds} folds`);
  return await openDataset(root, { setting, seed: splitSeed ?? 0, fold: seed + 1, ...few });
}

/**
 * The settings that `wanted` names (`fi8`, or `fi8=/elsewhere/FI`), each with its folder below `dataRoot`; without it those of the paper
 * whose folder is there. Throws InputError if a wanted one is not, or none is.
 */
export async function findSettings(dataRoot: string, wanted: readonly string[] | undefined): Promise<PlanSetting[]> {
  const data = diskFolder(dataRoot);
  if (!(await data.has(''))) throw new InputError(`--data-root ${dataRoot}: cannot be listed (no such file or folder)`);
  const folders = await foldersIn(data, '');
  const settings: PlanSetting[] = [];
  for (const item of wanted ?? PAPER_SETTINGS) {
    const [text = '', place] = item.split('=').map((part) => part.trim());
    const name = NAMED_SETTINGS.find((known) => known === text);
    if (!name) throw new InputError(`--datasets: expected some of ${NAMED_SETTINGS.join(', ')}, found ${text}`);
    const root = place ?? (await folderOf(name, dataRoot, folders));
    if (root !== undefined)
      settings.push({ name, label: SETTINGS[name].label, dataset: name, root: resolve(root), folds: null });
    else if (wanted)
      throw new InputError(
        `--datasets ${name}: no folder ${SETTINGS[name].folders.join(' or ')} in ${dataRoot}; pass ${name}=<folder>`,
      );
  }
  if (settings.length === 0) {
    throw new InputError(
      `--data-root ${dataRoot}: expected folders named ${PAPER_FOLDERS.join(', ')}, found none of them`,
    );
  }
  return settings;
}

/** Names of the folders of `PAPER_SETTINGS`, as docs/experiments has them: a folder for each data set, whatever its classes. */
export const PAPER_FOLDERS: readonly string[] = ['fi', 'emotionroi', 'twitter1', 'twitter2'];

/** The folder of a setting below `dataRoot`, whatever the case of its name and whatever stands between its parts. */
async function folderOf(
  setting: NamedSetting,
  dataRoot: string,
  present: readonly string[],
): Promise<string | undefined> {
  const { folders, splitFolders = [] }: Setting = SETTINGS[setting];
  const named = (name: string) => present.find((found) => plain(found) === name);
  for (const name of [...folders, ...splitFolders]) {
    const found = named(name);
    if (found === undefined) continue;
    const root = join(dataRoot, found);
    if (folders.includes(name) || isSplit(await foldersIn(diskFolder(root), ''), root)) return root;
  }
  return undefined;
}

const plain = (folder: string) => folder.toLowerCase().replace(/[^a-z0-9]/g, '');

/**
 * Opens each setting once, so that a plan is of data sets that can be read and knows their folds. `warnings` are what is not as published, and
 * which settings are left out and why. Throws InputError if one of `wanted` settings cannot be read, or none can.
 */
export async function openSettings(
  settings: readonly PlanSetting[],
  wanted: boolean,
): Promise<{ settings: PlanSetting[]; warnings: ReadonlySet<string> }> {
  const opened: PlanSetting[] = [];
  const warnings = new Set<string>();
  let refused: InputError | undefined;
  for (const planned of settings) {
    try {
      const data = await openSetting(planned);
      for (const warning of data.warnings) warnings.add(warning);
      opened.push({ ...planned, folds: 'fold' in data.origin ? data.origin.folds : null });
    } catch (error) {
      if (wanted || !(error instanceof InputError)) throw error;
      refused ??= error;
      warnings.add(`${planned.name} is left out: ${error.message}`);
    }
  }
  if (opened.length === 0 && refused) throw refused;
  return { settings: opened, warnings };
}

async function openSetting({ root, dataset }: PlanSetting): Promise<Dataset> {
  const setting = NAMED_SETTINGS.find((name) => name === dataset);
  const data = await openDataset(root, { setting });
  imagesOf(data, 'train');
  imagesOf(data, 'test');
  const { splitFolders = [] }: Partial<Setting> = setting ? SETTINGS[setting] : {};
  if (!splitFolders.includes(plain(basename(root)))) return data;
  const alias = `${root}: taken for EmotionROI, since it is split as the paper's authors have it`;
  return { ...data, warnings: [...data.warnings, alias] };
}
