/** What every learner on a frozen CLIP declares about itself. */
import type { OptionField, OptionsOf } from '../ptdpc/options.js';

/** Options by name, as `TUNING_FIELDS` describes them. */
export type OptionFields = Readonly<Record<string, OptionField>>;

/** Where in CLIP a learner learns: the tokens of its texts, its features, or its image tower. */
export type LearnerSpace = 'texts' | 'features' | 'images';

/** What the number of learned numbers depends on, beside the learner's options. */
export interface LearnerSizes {
  /** Number of classes. */
  readonly classes: number;
  /** Width of the text tower. */
  readonly width: number;
  /** Width of the image tower. */
  readonly vision: number;
  /** Width of the space that images and texts share. */
  readonly joint: number;
  /** Training images per class, of learners whose size depends on them. */
  readonly shots?: number | undefined;
  /** Number of CLIP's tokens in some words. Default: as many as there are words. */
  readonly tokens?: ((words: string) => number) | undefined;
}

/** Something that learns from labelled images with CLIP frozen. */
export interface LearnerFacts<Fields extends OptionFields = OptionFields> {
  /** Its name on the command line: `--learner coop`. */
  readonly name: string;
  /** Its name in prose: CoOp. */
  readonly title: string;
  readonly space: LearnerSpace;
  /** What it learns, in one sentence. */
  readonly learns: string;
  /** Authors, title, venue and year of the paper, and its address. */
  readonly paper: { readonly text: string; readonly url: string };
  /** Each option once: type, flag, and description. */
  readonly fields: Fields;
  readonly defaults: OptionsOf<Fields>;
  /** Where a default comes from: a section of the paper, or a file of the published code. */
  readonly sources: Readonly<Partial<Record<keyof Fields, string>>>;
  /** How many numbers are learned. */
  parameters(sizes: LearnerSizes, options: OptionsOf<Fields>): number;
}

/** Number of CLIP's tokens in `words`; without a tokenizer, their number. */
export function tokenCount({ tokens }: LearnerSizes, words: string): number {
  return tokens ? tokens(words) : words.trim().split(/\s+/).length;
}
