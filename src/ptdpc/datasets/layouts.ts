/** The layouts by name (reader, pattern for messages), and which data set a folder is if its files leave no doubt. */
import { type DataFolder, foldersIn, joined, nameLike } from './data-folder.js';
import { splitFolders } from './folder-names.js';
import { foldsBelow, readClassFolders, readFolds, readSplitFolders } from './folders.js';
import { type ImageList, manifestIn } from './listed-images.js';
import {
  GROUND_TRUTH_LISTS,
  ROI_SPLIT_FOLDER,
  readEmoset,
  readFileNames,
  readGroundTruth,
  readRoiLists,
  readVotes,
} from './published-lists.js';
import type { Layout, SettingName } from './settings.js';

/** Undefined if nothing is there in this layout. `fold` counts from 1. */
type LayoutReader = (data: DataFolder, fold: number, folds: number) => Promise<ImageList | undefined>;

interface LayoutEntry {
  pattern: string;
  read: LayoutReader;
  /** Files that are read for what they say of the images. */
  lists: readonly string[];
  /** What the data set has beside its images and lists: files that nobody misses. */
  companions?: RegExp;
}

export const LAYOUTS: Readonly<Record<Layout, LayoutEntry>> = {
  'split-folders': { pattern: '{train,val,test}/<class>/*.jpg', read: (data) => readSplitFolders(data), lists: [] },
  'class-folders': { pattern: '<class>/*.jpg', read: readClassFolders, lists: [] },
  folds: { pattern: '<fold>/{train,test}/<class>/*.jpg', read: readFolds, lists: [] },
  'roi-lists': {
    pattern: 'images/<class>/*.jpg with training_testing_split/{training,testing}.txt',
    read: readRoiLists,
    lists: ['training_testing_split/training.txt', 'training_testing_split/testing.txt'],
    // Maps of where in each image the emotion comes from.
    companions: /^ground_truth\//i,
  },
  emoset: {
    pattern: 'info.json with {train,val,test}.json',
    read: readEmoset,
    lists: ['info.json', 'train.json', 'val.json', 'test.json'],
    companions: /^annotation\/.+\.json$/i,
  },
  'file-names': { pattern: '<class>_NNNN.jpg', read: readFileNames, lists: [] },
  votes: {
    pattern: 'ABSTRACT_groundTruth.csv with its images',
    read: readVotes,
    lists: ['ABSTRACT_groundTruth.csv'],
  },
  'ground-truth': { pattern: 'images/*.jpg with ground_truth.txt', read: readGroundTruth, lists: GROUND_TRUTH_LISTS },
};

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
