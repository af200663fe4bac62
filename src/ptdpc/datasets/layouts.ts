/** The layouts by name: how each is read, and what it looks like, for messages. */
import type { DataFolder } from './data-folder.js';
import { readClassFolders, readFolds, readSplitFolders } from './folders.js';
import type { ImageList } from './image-list.js';
import { readEmoset, readFileNames, readRoiLists, readVotes } from './published-lists.js';
import type { Layout } from './settings.js';

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
};
