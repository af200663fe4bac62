/**
 * The named settings: what each data set is published as. `docs/datasets.md` is this table for people, with where each is asked for.
 *
 * Every number has the source that it was read in beside it (`source`); numbers without one are left out, class counts above all. PAPER is
 * *Learning to Compose Diversified Prompts for Image Emotion Classification*, section 5.1, which gives the totals of FI, EmotionROI and
 * Twitter, the polarity of their classes, and that EmotionROI's are balanced.
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
  | 'votes'
  /** `ground_truth.txt` with a column of votes for each class, and `images/` */
  | 'ground-truth';

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
  /** Names of its folder among those of other data sets, lower case and without separators; the first that is there is taken. */
  folders: readonly [string, ...string[]];
  /** Names of its folder where that is split: the paper's authors have EmotionROI in `Emotion6`, which without a split is Emotion6. */
  splitFolders?: readonly string[];
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
  /** Where the numbers are from. */
  source: string;
  /** Images in all, as published. */
  total: number;
  /** Totals of copies that are known to be passed on. */
  copies?: readonly number[];
  /** In order of the classes, if they are known. */
  perClass?: readonly number[];
  /** Where a split is published. */
  splits?: Readonly<Partial<Record<'train' | 'val' | 'test', number>>>;
}

const PAPER = 'the PT-DPC paper, section 5.1';

const EIGHT = ['amusement', 'anger', 'awe', 'contentment', 'disgust', 'excitement', 'fear', 'sadness'];
// The order of the columns of Flickr_LDL and Twitter_LDL, and of EmoSet's labels.
const MIKELS_COLUMNS = ['amusement', 'awe', 'contentment', 'excitement', 'anger', 'disgust', 'fear', 'sadness'];
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
// The copies are known from those who were given them, not from a publication. FI's class counts are in none that we could read.
const FI_COUNTS = { source: PAPER, total: 23_308, copies: [23_185, 22_683] };

const EMOTION_ROI = {
  splitFolders: ['emotion6'],
  layouts: ['roi-lists', 'split-folders'],
  split: { val: 0, test: 0.3 },
} as const satisfies Partial<Setting>;
// 594 test images: the accuracies of the paper's own experiments on EmotionROI are whole numbers of them (paper-tables.test.ts), which those
// of the methods that it quotes are not. The rest is for training.
const EMOTION_ROI_COUNTS = { source: PAPER, total: 1_980, splits: { train: 1_386, test: 594 } };

const EMOSET = {
  folders: ['emoset118k', 'emoset'],
  layouts: ['emoset', 'split-folders'],
  split: { val: 0.05, test: 0.15 },
  expected: {
    source: 'README of github.com/JingyuanYY/EmoSet; val and test: card of huggingface.co/datasets/Woleek/EmoSet-118K',
    total: 118_102,
    // Train is what is left.
    splits: { train: 94_481, val: 5_905, test: 17_716 },
  },
} as const satisfies Partial<Setting>;

const MACHAJDIK = 'Machajdik and Hanbury, ACM MM 2010, as others quote it';

// The authors' conversions, and loaders that we could read, have these sizes and this order of columns; the paper itself we could not.
const YANG = 'Yang, Sun and Sun, AAAI 2017, as others quote it';

const EIGHTY_TWENTY = { val: 0, test: 0.2 };

/** Every setting by its name. */
export const SETTINGS = {
  fi8: {
    ...FI,
    label: 'FI 8',
    folders: ['fi', 'fi8', 'flickrinstagram'],
    classes: classes(EIGHT),
    expected: FI_COUNTS,
  },
  fi2: {
    ...FI,
    label: 'FI 2',
    folders: ['fi2', 'fi', 'fi8', 'flickrinstagram'],
    classes: polarity(EIGHT),
    expected: FI_COUNTS,
  },
  emotionroi6: {
    ...EMOTION_ROI,
    label: 'EmotionROI 6',
    folders: ['emotionroi', 'emotionroi6'],
    classes: classes(SIX),
    expected: { ...EMOTION_ROI_COUNTS, perClass: [330, 330, 330, 330, 330, 330] },
  },
  emotionroi2: {
    ...EMOTION_ROI,
    label: 'EmotionROI 2',
    folders: ['emotionroi2', 'emotionroi', 'emotionroi6', 'emotion62'],
    classes: polarity(SIX),
    expected: { ...EMOTION_ROI_COUNTS, perClass: [1_320, 660] },
  },
  twitter1: {
    label: 'Twitter I',
    folders: ['twitteri', 'twitter1'],
    classes: classes(['negative', 'positive']),
    layouts: ['folds', 'split-folders', 'class-folders'],
    expected: { source: PAPER, total: 1_269 },
    split: { folds: 5 },
  },
  twitter2: {
    label: 'Twitter II',
    folders: ['twitterii', 'twitter2'],
    classes: classes(['negative', 'positive']),
    layouts: ['split-folders', 'class-folders'],
    expected: { source: PAPER, total: 603 },
    split: EIGHTY_TWENTY,
  },
  emoset8: {
    ...EMOSET,
    label: 'EmoSet-118K',
    // The order of label2idx in its info.json (github.com/JingyuanYY/EmoSet), against which a copy's own one is checked.
    classes: classes(MIKELS_COLUMNS),
  },
  emoset2: {
    ...EMOSET,
    label: 'EmoSet-118K, 2 classes',
    // Its own loader (EmoSet.py in the same place) has positive first.
    classes: polarity(EIGHT).reverse(),
  },
  emotion6: {
    label: 'Emotion6',
    folders: ['emotion6'],
    classes: classes(SIX),
    layouts: ['class-folders', 'split-folders'],
    expected: { source: 'Peng et al., CVPR 2015, as others quote it', total: 1_980 },
    split: EIGHTY_TWENTY,
  },
  artphoto8: {
    label: 'ArtPhoto',
    // The second is the archive's.
    folders: ['artphoto', 'testimagesartphoto'],
    classes: mikels,
    layouts: ['file-names', 'class-folders', 'split-folders'],
    expected: { source: MACHAJDIK, total: 806 },
    split: EIGHTY_TWENTY,
  },
  abstract8: {
    label: 'Abstract',
    folders: ['abstract', 'testimagesabstract'],
    classes: mikels,
    layouts: ['votes', 'class-folders', 'split-folders'],
    // Of 280 paintings those with one emotion that has most votes.
    expected: { source: MACHAJDIK, total: 228 },
    split: EIGHTY_TWENTY,
  },
  emotion6ldl: {
    label: 'Emotion6, votes',
    folders: ['emotion6ldl', 'emotion6'],
    // The order of the columns; what most people named, instead of what was searched for.
    classes: classes([...SIX, 'neutral']),
    layouts: ['ground-truth'],
    expected: { source: 'the README of the Cornell Emotion6 Image Database', total: 1_980 },
    split: EIGHTY_TWENTY,
  },
  flickrldl8: {
    label: 'Flickr_LDL',
    folders: ['flickrldl'],
    classes: classes(MIKELS_COLUMNS),
    layouts: ['ground-truth'],
    expected: { source: YANG, total: 11_150 },
    split: EIGHTY_TWENTY,
  },
  twitterldl8: {
    label: 'Twitter_LDL',
    folders: ['twitterldl'],
    classes: classes(MIKELS_COLUMNS),
    layouts: ['ground-truth'],
    expected: { source: YANG, total: 10_045 },
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

/** Whether the data set is published with lists of its splits, as EmotionROI and EmoSet are. */
export function hasPublishedLists(name: SettingName): boolean {
  return namedSetting(name)?.layouts.some((layout) => layout === 'roi-lists' || layout === 'emoset') ?? false;
}

/** Place of the class that a name in the data set stands for, whatever its case; -1 for none. */
export function classOf(classes: readonly SettingClass[], name: string): number {
  const lower = name.toLowerCase();
  return classes.findIndex(({ word, from = [] }) => word === lower || from.includes(lower));
}
