/**
 * The values that the paper prints, for comparison with ours. Source: Deng, Wu, Shi, Xing, Jian, Xiang: *Learning to Compose
 * Diversified Prompts for Image Emotion Classification* (arXiv 2201.10963), Tables 1 to 4 and sections 5.2 to 5.5. Accuracies are
 * in [0, 1].
 *
 * The paper prints one value per cell, without a spread or the number of runs. The values of its own experiments (PT-DPC, and in
 * Table 4 the transformers) are whole numbers of images out of 594 (EmotionROI), 254 (Twitter I) and 120 (Twitter II), so each is
 * from one test split: 30 % and 20 % of the images. Those of the other rows are not; they are from elsewhere.
 */
import type { Mode } from '../options.js';

/** The settings, in the order of the paper's columns. */
export const PAPER_SETTINGS = ['fi8', 'emotionroi6', 'fi2', 'emotionroi2', 'twitter1', 'twitter2'] as const;
export type PaperSetting = (typeof PAPER_SETTINGS)[number];

/** One printed row: a value for each of `PAPER_SETTINGS`. */
export type Row = readonly [number, number, number, number, number, number];

/** The row of PT-DPC, which Tables 1 to 4 share. */
const PT_DPC: Row = [0.7807, 0.697, 0.9389, 0.8855, 0.9094, 0.825];

export const PAPER_SOURCE = 'Deng et al., arXiv 2201.10963';

/** Words before the class word of PT-DPC-1, -2 and -3 (section 5.5). */
export const PAPER_TEMPLATES = [
  'a photo seems to express a feeling of',
  'an image to express a feeling like',
  'a picture seems to express some feelings like',
] as const;

/** Initial learning rates "of different datasets" (section 5.2), which does not say which rate belongs to which data set. */
export const PAPER_LEARNING_RATES = [0.1, 0.01, 0.001] as const;

/**
 * Table 1. Of the eleven deep methods only the best of each column is quoted: the text available here does not show which of their
 * cells the paper leaves empty. The best ones agree with the gains that section 5.3 states.
 */
export const TABLE_1 = {
  ours: PT_DPC,
  others: [
    { label: 'Zhao et al. (2014)', row: [0.4613, 0.3484, 0.5842, 0.7345, 0.6792, 0.6751] },
    { label: 'SentiBank (2013)', row: [0.4923, 0.3524, 0.5647, 0.6618, 0.6663, 0.6593] },
    { label: 'AlexNet, fine-tuned', row: [0.5813, 0.4141, 0.6863, 0.716, 0.7324, 0.7566] },
    { label: 'VGG16, fine-tuned', row: [0.6375, 0.4546, 0.7064, 0.7225, 0.7675, 0.7699] },
    { label: 'ResNet101, fine-tuned', row: [0.6616, 0.516, 0.7576, 0.7392, 0.7813, 0.7823] },
    { label: 'best of eleven deep methods', row: [0.7546, 0.6041, 0.9097, 0.851, 0.8965, 0.8268] },
  ],
} as const satisfies { ours: Row; others: readonly { label: string; row: Row }[] };

/** Table 2: what a prompt is composed from. */
export const TABLE_2: Readonly<Record<Mode, Row>> = {
  none: [0.773, 0.638, 0.9372, 0.8771, 0.8937, 0.8083],
  is: [0.7792, 0.6481, 0.9372, 0.8788, 0.8976, 0.7667],
  cs: [0.776, 0.6919, 0.9381, 0.8737, 0.8937, 0.8167],
  both: PT_DPC,
};

/** Table 3: templates that the prompts start from. */
export const TABLE_3 = {
  rows: [PT_DPC, [0.7807, 0.6717, 0.9407, 0.8872, 0.8898, 0.8083], [0.7824, 0.6751, 0.9357, 0.8788, 0.8937, 0.8167]],
  /**
   * As printed: the sample standard deviation of the three, except in the last column, where that would be 0.0084
   * (test/ptdpc/experiment/paper-tables.test.ts).
   */
  std: [0.001, 0.0137, 0.0025, 0.0044, 0.0104, 0.0005],
} as const satisfies { rows: readonly Row[]; std: Row };

/** Table 4: encoders, frozen, under a linear layer; `encoders` by the names of their architectures, in the paper's order. */
export const TABLE_4 = {
  encoders: {
    AlexNet: { label: 'ImageNet-AlexNet', row: [0.3826, 0.3426, 0.6054, 0.6465, 0.658, 0.6788] },
    VGG16: { label: 'ImageNet-VGG16', row: [0.4122, 0.3726, 0.7064, 0.7225, 0.6749, 0.6879] },
    ResNet101: { label: 'ImageNet-Res101', row: [0.5001, 0.4079, 0.8142, 0.7593, 0.7255, 0.7042] },
    DeiT: { label: 'DeiT', row: [0.6494, 0.4949, 0.85, 0.7609, 0.7953, 0.7833] },
    BEiT: { label: 'BEiT', row: [0.7261, 0.5993, 0.9063, 0.8165, 0.8386, 0.7667] },
  },
  clipVit: [0.7623, 0.6717, 0.9164, 0.8855, 0.8701, 0.8083],
  clip: [0.7801, 0.6633, 0.9349, 0.8788, 0.8937, 0.8167],
  ours: PT_DPC,
} as const satisfies {
  encoders: Readonly<Record<string, { label: string; row: Row }>>;
  clipVit: Row;
  clip: Row;
  ours: Row;
};

/** An architecture that Table 4 compares with CLIP's. */
export type ComparedEncoder = keyof typeof TABLE_4.encoders;
export const COMPARED_ENCODERS = Object.keys(TABLE_4.encoders) as readonly ComparedEncoder[];

/** Figure 5: prediction and ground truth of the one image that the paper shows of each data set. */
export const FIGURE_5 = [
  { setting: 'fi8', predicted: 'contentment', actual: 'contentment' },
  { setting: 'emotionroi6', predicted: 'sadness', actual: 'fear' },
  { setting: 'twitter1', predicted: 'positive', actual: 'negative' },
  { setting: 'twitter2', predicted: 'positive', actual: 'positive' },
] as const satisfies readonly { setting: PaperSetting; predicted: string; actual: string }[];

/** A row's value for a setting; undefined for a setting that is not the paper's. */
export function paperFigure(row: Row, setting: string): number | undefined {
  return row[(PAPER_SETTINGS as readonly string[]).indexOf(setting)];
}
