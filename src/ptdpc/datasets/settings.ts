/**
 * The named settings: what each data set is published as. `docs/datasets.md` is this table for people, with where each is asked for.
 *
 * Sources of the numbers. FI: You et al., AAAI 2016 (arXiv 1605.02677). EmotionROI: Peng et al., ICIP 2016; its split of 1,386 + 594
 * and the copies of FI are known from those who use them. Twitter I: You et al., AAAI 2015. Twitter II: Borth et al., ACM MM 2013.
 * EmoSet-118K: Yang et al., ICCV 2023, and github.com/JingyuanYY/EmoSet (label order, the two classes). Emotion6: Peng et al., CVPR 2015.
 * ArtPhoto and Abstract: Machajdik and Hanbury, ACM MM 2010.
 */

/** How files say which class and which split an image belongs to; `src/node/datasets/` reads them. */
export type Layout =
  /** `{train,val,test}/<class>/` */
  | 'split-folders'
  /** `<class>/` or `images/<class>/` */
  | 'class-folders'
  /** `<fold>/{train,test}/<class>/` */
  | 'folds'
  /** `images/<class>/N.jpg` with `training_testing_split/{training,testing}.txt` */
  | 'roi-lists'
  /** `{train,val,test}.json`, arrays of [label, ..., "image/<class>/x.jpg", ...], beside `info.json` */
  | 'emoset'
  /** `<class>_NNNN.jpg` in one folder */
  | 'file-names'
  /** Files in one folder, and `ABSTRACT_groundTruth.csv` with a column of votes for each class */
  | 'votes';

/** A class of a setting. */
export interface SettingClass {
  word: string;
  /** Other names of the class in the data set, or the classes that it stands for; lower case. */
  from?: readonly string[];
}

/** What a data set is published as. */
export interface Setting {
  /** For tables and charts. */
  label: string;
  /** In order of labels. */
  classes: readonly SettingClass[];
  /** Tried in this order. */
  layouts: readonly [Layout, ...Layout[]];
  expected: ExpectedCounts;
  /** For data that come without a split: shares of val and test, or the number of folds, of which one is the test split. */
  split: { val: number; test: number } | { folds: number };
}

/** How many images a published data set has. */
export interface ExpectedCounts {
  /** Images in all, as published. */
  total: number;
  /** Totals of copies that are known to be passed on. */
  copies?: readonly number[];
  /** In order of the classes, where they are known. */
  perClass?: readonly number[];
  /** Where a split is published. */
  splits?: Readonly<Partial<Record<'train' | 'val' | 'test', number>>>;
}

const EIGHT = ['amusement', 'anger', 'awe', 'contentment', 'disgust', 'excitement', 'fear', 'sadness'];
const SIX = ['anger', 'disgust', 'fear', 'joy', 'sadness', 'surprise'];
const POSITIVE = ['amusement', 'awe', 'contentment', 'excitement', 'joy', 'surprise'];

const classes = (words: readonly string[]): SettingClass[] => words.map((word) => ({ word }));

/** `negative` and `positive`, from the emotions in `words`. */
const polarity = (words: readonly string[]): SettingClass[] => [
  { word: 'negative', from: words.filter((word) => !POSITIVE.includes(word)) },
  { word: 'positive', from: words.filter((word) => POSITIVE.includes(word)) },
];

const MIKELS_ALIASES: Readonly<Record<string, string[]>> = { contentment: ['content'], sadness: ['sad'] };
const mikels = EIGHT.map((word) => ({ word, from: MIKELS_ALIASES[word] ?? [] }));

const FI = {
  layouts: ['split-folders', 'class-folders'],
  split: { val: 0.05, test: 0.15 },
} as const satisfies Partial<Setting>;
const FI_COUNTS = { total: 23_308, copies: [23_185, 22_683] };

const EMOTION_ROI = {
  layouts: ['roi-lists', 'split-folders'],
  split: { val: 0, test: 0.3 },
} as const satisfies Partial<Setting>;
const EMOTION_ROI_COUNTS = { total: 1_980, splits: { train: 1_386, test: 594 } };

const EMOSET = {
  layouts: ['emoset', 'split-folders'],
  split: { val: 0.05, test: 0.15 },
  expected: { total: 118_102 },
} as const satisfies Partial<Setting>;

const EIGHTY_TWENTY = { val: 0, test: 0.2 };

/** Every setting by its name. */
export const SETTINGS = {
  fi8: {
    ...FI,
    label: 'FI 8',
    classes: classes(EIGHT),
    expected: { ...FI_COUNTS, perClass: [4_942, 1_266, 3_151, 5_374, 1_658, 2_963, 1_032, 2_922] },
  },
  fi2: {
    ...FI,
    label: 'FI 2',
    classes: polarity(EIGHT),
    expected: { ...FI_COUNTS, perClass: [6_878, 16_430] },
  },
  emotionroi6: {
    ...EMOTION_ROI,
    label: 'EmotionROI 6',
    classes: classes(SIX),
    expected: { ...EMOTION_ROI_COUNTS, perClass: [330, 330, 330, 330, 330, 330] },
  },
  emotionroi2: {
    ...EMOTION_ROI,
    label: 'EmotionROI 2',
    classes: polarity(SIX),
    expected: { ...EMOTION_ROI_COUNTS, perClass: [1_320, 660] },
  },
  twitter1: {
    label: 'Twitter I',
    classes: classes(['negative', 'positive']),
    layouts: ['folds', 'split-folders', 'class-folders'],
    expected: { total: 1_269, perClass: [500, 769] },
    split: { folds: 5 },
  },
  twitter2: {
    label: 'Twitter II',
    classes: classes(['negative', 'positive']),
    layouts: ['split-folders', 'class-folders'],
    expected: { total: 603, perClass: [133, 470] },
    split: EIGHTY_TWENTY,
  },
  emoset8: {
    ...EMOSET,
    label: 'EmoSet-118K',
    // The order of label2idx in its info.json.
    classes: classes(['amusement', 'awe', 'contentment', 'excitement', 'anger', 'disgust', 'fear', 'sadness']),
  },
  emoset2: {
    ...EMOSET,
    label: 'EmoSet-118K, 2 classes',
    // Its own loader has positive first.
    classes: polarity(EIGHT).reverse(),
  },
  emotion6: {
    label: 'Emotion6',
    classes: classes(SIX),
    layouts: ['class-folders', 'split-folders'],
    expected: { total: 1_980, perClass: [330, 330, 330, 330, 330, 330] },
    split: EIGHTY_TWENTY,
  },
  artphoto8: {
    label: 'ArtPhoto',
    classes: mikels,
    layouts: ['file-names', 'class-folders', 'split-folders'],
    expected: { total: 806, perClass: [101, 77, 102, 70, 70, 105, 115, 166] },
    split: EIGHTY_TWENTY,
  },
  abstract8: {
    label: 'Abstract',
    classes: mikels,
    layouts: ['votes', 'class-folders', 'split-folders'],
    // Of 280 paintings those with one emotion that has most votes.
    expected: { total: 228, perClass: [25, 3, 15, 63, 18, 36, 36, 32] },
    split: EIGHTY_TWENTY,
  },
} as const satisfies Readonly<Record<string, Setting>>;

/** Name of a published data set with its classes. */
export type NamedSetting = keyof typeof SETTINGS;

/** `folders`: any folders of images; `manifest`: any CSV or JSON file that lists images. Both bring their own classes. */
export type SettingName = NamedSetting | 'folders' | 'manifest';

/** Names of all published ones. */
export const NAMED_SETTINGS = Object.keys(SETTINGS) as readonly NamedSetting[];
/** All names that a data set can be asked for by. */
export const SETTING_NAMES: readonly SettingName[] = [...NAMED_SETTINGS, 'folders', 'manifest'];

/** The description of a named setting; undefined for `folders` and `manifest`. */
export function namedSetting(name: SettingName): Setting | undefined {
  return name === 'folders' || name === 'manifest' ? undefined : SETTINGS[name];
}

/** Place of the class that a name in the data set stands for, whatever its case; -1 for none. */
export function classOf(classes: readonly SettingClass[], name: string): number {
  const lower = name.toLowerCase();
  return classes.findIndex(({ word, from = [] }) => word === lower || from.includes(lower));
}
