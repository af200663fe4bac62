/** What CoOp and the learners that follow it share: their options, their texts and their training. */
import * as v from 'valibot';
import { numberIn, type OptionField, type OptionsOf, oneOf, TUNING_FIELDS } from '../../ptdpc/options.js';
import type { PromptModelOptions } from '../../ptdpc/prompt-model.js';
import type { PromptLayout } from '../../ptdpc/prompt-text.js';
import type { CosineSchedule, TrainingOptions } from '../../ptdpc/training-options.js';
import { type LearnerSizes, tokenCount } from '../learner.js';

const { learningRate, epochs, batchSize, shuffle, seed, keep } = TUNING_FIELDS;

/** Options of every training of a context: SGD with momentum and a cosine schedule, as Dassl's configuration has them. */
export const CONTEXT_FIELDS = {
  /** Number of learned tokens that begin as noise. */
  context: numberIn(
    { least: 1, whole: true },
    { flag: '--context <n>', help: 'learned tokens, where --init-words gives none', label: 'Learned tokens' },
  ),
  initWords: v.pipe(
    v.string('words, or nothing'),
    v.metadata({
      flag: '--init-words <words>',
      help: 'words that the learned tokens begin as; "" for normal noise of standard deviation 0.02',
    }),
  ),
  loss: oneOf(['ce', 'kl'], {
    flag: '--loss <loss>',
    help: 'cross-entropy of the logits (ce), or the divergence from the votes of people (kl), for data sets that have them',
  }),
  learningRate,
  weightDecay: numberIn({ least: 0 }, { flag: '--weight-decay <x>', help: 'weight decay, part of the gradient' }),
  warmup: numberIn(
    { least: 0, whole: true },
    { flag: '--warmup <n>', help: 'epochs at a learning rate of 1e-5 before the cosine schedule' },
  ),
  epochs,
  batchSize,
  shuffle,
  seed,
  keep,
} as const satisfies Readonly<Record<string, OptionField>>;

/** Where the class word stands, and whether each class has tokens of its own. */
export const PLACE_FIELDS = {
  classPosition: oneOf(['end', 'middle', 'front'], {
    flag: '--class-position <place>',
    help: 'where the class word stands among the learned tokens',
  }),
  classSpecific: v.pipe(
    v.boolean('true or false'),
    v.metadata({ flag: '--class-specific', help: 'learned tokens of its own for each class' }),
  ),
} as const satisfies Readonly<Record<string, OptionField>>;

/** The hand-written prompt that guides a training. */
export const GUIDE_FIELDS = {
  zeroShotTemplate: v.pipe(
    v.string('a text'),
    v.check((text) => text.includes('{}'), 'a text with {} in place of the class word'),
    v.metadata({
      flag: '--zero-shot-template <text>',
      help: 'hand-written prompt, with {} in place of the class word',
    }),
  ),
} as const satisfies Readonly<Record<string, OptionField>>;

/** What every learner of a context has chosen. */
export type ContextOptions = OptionsOf<typeof CONTEXT_FIELDS>;

/** The options of a place, of the learners that have them. */
type PlaceOptions = Partial<OptionsOf<typeof PLACE_FIELDS>>;

/** Standard deviation of the noise that tokens begin as, of CoOp's paper and code. */
const DEVIATION = 0.02;

/** Common defaults of the published codes, which are all built on CoOp's. */
export const CONTEXT_DEFAULTS = {
  loss: 'ce',
  learningRate: 0.002,
  weightDecay: 5e-4,
  warmup: 1,
  shuffle: true,
  seed: 0,
  keep: 'last',
} as const;

/** Where those come from. */
export const CONTEXT_SOURCES = {
  learningRate: "CoOp's training details",
  weightDecay: "Dassl's default of SGD, which the published code leaves as it is",
  warmup: "CoOp's training details",
} as const;

/** The text of a class: learned tokens, the class word, and the full stop of the published code. */
export function contextLayout({ context, initWords, classPosition }: ContextOptions & PlaceOptions): PromptLayout {
  return { context: initWords.trim() === '' ? context : initWords, classPosition: classPosition ?? 'end', stop: '.' };
}

/** Initialisation and forward pass of a context. */
export function contextModel({
  initWords,
  seed,
  classSpecific,
  loss,
}: ContextOptions & PlaceOptions): PromptModelOptions {
  return {
    ...{ mode: classSpecific ? 'cs' : 'none', weight: 'cosine', loss, logitScale: 'clip', learnSot: false },
    ...{ initNoise: 0, seed, initDeviation: initWords.trim() === '' ? DEVIATION : undefined },
  };
}

/** How a context is trained, or tokens of the image tower. */
export function contextTraining(
  options: Omit<ContextOptions, 'context' | 'initWords' | 'loss'>,
): TrainingOptions & CosineSchedule {
  const { learningRate, weightDecay, warmup, epochs, batchSize, shuffle, seed, keep } = options;
  return { optimizer: 'sgd', learningRate, weightDecay, warmup, epochs, batchSize, shuffle, seed, keep };
}

/** Number of learned numbers in the tokens. */
export function contextSize(sizes: LearnerSizes, options: ContextOptions & PlaceOptions): number {
  const { context, initWords, classSpecific } = options;
  const tokens = initWords.trim() === '' ? context : tokenCount(sizes, initWords);
  return (classSpecific ? sizes.classes : 1) * tokens * sizes.width;
}
