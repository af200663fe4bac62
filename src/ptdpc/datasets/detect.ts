/** Which setting a folder is, where its files leave no doubt. */
import type { DataFolder } from './data-folder.js';
import { splitFolders } from './folder-names.js';
import { foldsBelow } from './folders.js';
import { foldersIn, joined, nameLike } from './listing.js';
import { manifestIn } from './manifest.js';
import { ROI_SPLIT_FOLDER } from './published-lists.js';
import type { SettingName } from './settings.js';

/**
 * `train/` or `test/` (see `splitFolders`) hold folders of classes; then the files that only one data set has. All else is
 * taken for folders of classes. Data sets that come as plain folders (FI) have to be named for their class order and counts.
 */
export async function detectSetting(data: DataFolder): Promise<SettingName> {
  const folders = await foldersIn(data, '');
  if (splitFolders(folders, data.name)) return 'folders';
  if (nameLike(folders, ROI_SPLIT_FOLDER)) return 'emotionroi6';
  if ((await data.has('info.json')) && (await data.has('train.json'))) return 'emoset8';
  if (await data.has('ABSTRACT_groundTruth.csv')) return 'abstract8';
  if (await isTwitter(data)) return 'twitter1';
  return (await manifestIn(data)) === undefined ? 'folders' : 'manifest';
}

/** Whether there is a first fold with Twitter's two classes. */
async function isTwitter(data: DataFolder): Promise<boolean> {
  const base = await foldsBelow(data);
  if (base === undefined) return false;
  const fold = joined(base, '1');
  const train = splitFolders(await foldersIn(data, fold), data.place(fold))?.get('train');
  if (train === undefined) return false;
  const classes = await foldersIn(data, joined(fold, train));
  return classes.map((name) => name.toLowerCase()).join() === 'negative,positive';
}
