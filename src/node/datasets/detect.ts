/** Which setting a folder is, where its files leave no doubt. */
import { join } from 'node:path';
import { type SettingName, splitFolders } from '../../ptdpc/datasets/index.js';
import { exists } from '../checkpoint-files.js';
import { foldsBelow } from './folders.js';
import { foldersIn, nameLike } from './listing.js';
import { manifestAt } from './manifest.js';
import { ROI_SPLIT_FOLDER } from './published-lists.js';

/**
 * A file is a manifest; `train/` or `test/` (see `splitFolders`) hold folders of classes; then the files that only one data set has. All else is
 * taken for folders of classes. `root` exists. Data sets that come as plain folders (FI) have to be named for their class order and counts.
 */
export async function detectSetting(root: string): Promise<SettingName> {
  if ((await manifestAt(root)) === root) return 'manifest';
  const folders = await foldersIn(root);
  if (splitFolders(folders, root)) return 'folders';
  const has = (name: string) => exists(join(root, name));
  if (nameLike(folders, ROI_SPLIT_FOLDER)) return 'emotionroi6';
  if ((await has('info.json')) && (await has('train.json'))) return 'emoset8';
  if (await has('ABSTRACT_groundTruth.csv')) return 'abstract8';
  if (await isTwitter(root)) return 'twitter1';
  return (await manifestAt(root)) === undefined ? 'folders' : 'manifest';
}

/** Whether there is a first fold with Twitter's two classes. */
async function isTwitter(root: string): Promise<boolean> {
  const base = await foldsBelow(root);
  if (base === undefined) return false;
  const fold = join(root, base, '1');
  const train = splitFolders(await foldersIn(fold), fold)?.get('train');
  if (train === undefined) return false;
  const classes = await foldersIn(join(fold, train));
  return classes.map((name) => name.toLowerCase()).join() === 'negative,positive';
}
