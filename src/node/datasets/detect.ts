/** Which setting a folder is, where its files leave no doubt. */
import { join } from 'node:path';
import type { SettingName } from '../../ptdpc/datasets/index.js';
import { exists } from '../checkpoint-files.js';
import { foldersIn } from './listing.js';
import { manifestAt } from './manifest.js';

/**
 * A file is a manifest; `train/`, `val/` or `test/` are folders of classes; then the files that only one data set has. All else is
 * taken for folders of classes. `root` exists. Data sets that come as plain folders (FI) have to be named for their class order and counts.
 */
export async function detectSetting(root: string): Promise<SettingName> {
  if ((await manifestAt(root)) === root) return 'manifest';
  const folders = await foldersIn(root);
  if (['train', 'val', 'test'].some((name) => folders.includes(name))) return 'folders';
  const has = (name: string) => exists(join(root, name));
  if (await has('training_testing_split')) return 'emotionroi6';
  if ((await has('info.json')) && (await has('train.json'))) return 'emoset8';
  if (await has('ABSTRACT_groundTruth.csv')) return 'abstract8';
  if (folders.includes('1') && (await foldersIn(join(root, '1', 'train'))).join() === 'negative,positive')
    return 'twitter1';
  return (await manifestAt(root)) === undefined ? 'folders' : 'manifest';
}
