/**
 * What prompts have learned: the nearest words of the learned tokens, and an image's probabilities and weights w[i][j] (Eq. 3). Values
 * that a mode does not have are null or listed in `absent`.
 *
 * In mode `both`, prompts that start equal stay equal: the composed prompt is symmetric in the classes, so all prompts get the same
 * gradient. `equal` reports this.
 */
import type { ClipTokenizer, TokenText } from '../clip/tokenizer/index.js';
import type { TokenEmbeddings } from '../clip/towers/index.js';
import { type ContextLearner, learnerOf, type PromptOptions, promptSetup } from '../learners/prompts/index.js';
import type { Engine } from '../tensor/index.js';
import { ROW_SHARE, tooLittleMemory } from './budget.js';
import { argmax, softmaxRows } from './evaluate.js';
import {
  type Closeness,
  closeness,
  type NearestWord,
  type NearestWordsOptions,
  nearestWords,
} from './nearest-words.js';
import {
  isClassSpecific,
  isPerImage,
  type Mode,
  SKIPPABLE_WORDS,
  type SkippableWords,
  type WordMetric,
} from './options.js';
import type { PromptModel } from './prompt-model.js';
import type { AnyPromptsFile } from './prompts-file.js';
import { predictLogits } from './step.js';

/** Options of the search for nearest words. */
export interface ExplainOptions extends Omit<NearestWordsOptions, 'skips'> {
  /** Kinds of words to skip. Ids that no text encodes to, and tokens that cannot be read by themselves (parts of characters), are always skipped. */
  skip: readonly SkippableWords[];
}

/** A token of the vocabulary, with its text. */
export interface VocabularyWord extends TokenText {
  readonly id: number;
}

/** The learned tokens of a run, described by words. */
export interface PromptExplanation {
  learner: 'pt-dpc' | ContextLearner;
  /** Of the other learners than PT-DPC: `cs` if each class has its own tokens, else `none`. */
  mode: Mode;
  metric: WordMetric;
  skip: readonly SkippableWords[];
  /** Class words, in order. */
  classes: string[];
  /** What each learned token was initialised as, in order: SOT if it is learned, then the template's tokens, or noise. */
  tokens: VocabularyWord[];
  prompts: ExplainedPrompt[];
  /** True if several classes have prompts and all of them are equal. */
  equal: boolean;
  /** Descriptions of what this mode does not have; empty for `both`. */
  absent: string[];
}

/** One set of learned tokens. */
export interface ExplainedPrompt {
  /** Index of its class in `classes`; null for a prompt shared by all classes. */
  class: number | null;
  tokens: ExplainedToken[];
}

/** One learned token. */
export interface ExplainedToken {
  /** Comparison with its initial value; of a token that began as noise with a zero vector, since which noise it was is not recorded. */
  start: Closeness;
  /** The nearest tokens of the vocabulary, nearest first. */
  nearest: (NearestWord & TokenText)[];
}

/** Explains a file's prompts, which must belong to this tokenizer and these embeddings. */
export async function explainPrompts(
  engine: Engine,
  { options: tuning, classes, shape, prompts }: Pick<AnyPromptsFile, 'options' | 'classes' | 'shape' | 'prompts'>,
  tokenizer: ClipTokenizer,
  embeddings: TokenEmbeddings,
  options: ExplainOptions,
): Promise<PromptExplanation> {
  const [sets = 0, count = 0, width = 0] = shape;
  const { mode } = promptSetup(tuning).model;
  const start = startTokens(tokenizer, tuning);
  const skips = skipped(tokenizer, options.skip, new Set(start.map(({ id }) => id)));
  const nearest = await nearestWords(engine, prompts, embeddings, { ...options, skips });
  const explained: ExplainedPrompt[] = [];
  for (let set = 0; set < sets; set++) {
    const tokens: ExplainedToken[] = [];
    for (const [j, { id }] of start.entries()) {
      const at = set * count + j;
      const learned = prompts.subarray(at * width, (at + 1) * width);
      tokens.push({
        start: closeness(learned, id === NOISE.id ? new Float32Array(width) : await embeddings.row(id)),
        nearest: nearest[at]!.map((word) => ({ ...word, ...tokenizer.describe(word.id)! })),
      });
    }
    explained.push({ class: isClassSpecific(mode) ? set : null, tokens });
  }
  return {
    learner: learnerOf(tuning),
    mode,
    metric: options.metric,
    skip: options.skip,
    classes: classes.map(({ word }) => word),
    tokens: start,
    prompts: explained,
    equal: sets > 1 && prompts.every((value, i) => value === prompts[i % (count * width)]),
    absent: absentIn(tuning),
  };
}

/** What a token began as that began as no word. */
export const NOISE: VocabularyWord = { id: -1, text: 'noise', kind: 'word' };

/** What each learned token was initialised as, in order. */
export function startTokens(tokenizer: ClipTokenizer, options: PromptOptions): VocabularyWord[] {
  const { layout, model } = promptSetup(options);
  if (typeof layout.context === 'number') return new Array<VocabularyWord>(layout.context).fill(NOISE);
  const ids = [...(model.learnSot ? [tokenizer.sot] : []), ...tokenizer.encode(layout.context)];
  return ids.map((id) => ({ id, ...tokenizer.describe(id)! }));
}

/** Probabilities and weights for an image. */
export interface ImageExplanation {
  /** Index of the most probable class. */
  predicted: number;
  /** By class. */
  probabilities: number[];
  /** weights[i][j] of class i (or of the one shared prompt) and token j; null in the modes `cs` and `none`. */
  weights: number[][] | null;
}

/** Explains images by their normalised features [count, width]. `memory` in bytes. */
export async function explainImages(
  model: PromptModel,
  features: Float32Array,
  memory: number,
): Promise<ImageExplanation[]> {
  const probabilities = softmaxRows(await predictLogits(model, features, memory), model.classes);
  const weights = await promptWeights(model, features, memory);
  const [prompts = 0, tokens = 0] = model.prompts.shape;
  return Array.from({ length: features.length / model.joint }, (_, image) => {
    const row = probabilities.subarray(image * model.classes, (image + 1) * model.classes);
    const of = (i: number) => {
      const at = (image * prompts + i) * tokens;
      return Array.from(weights!.subarray(at, at + tokens));
    };
    return {
      predicted: argmax(row),
      probabilities: Array.from(row),
      weights: weights && Array.from({ length: prompts }, (_, i) => of(i)),
    };
  });
}

/** Descriptions of what a mode, or another learner, does not have. */
function absentIn(options: PromptOptions): string[] {
  const { mode, metaNet } = promptSetup(options).model;
  const same = 'no weights: the prompts are the same for every image';
  const shifted = 'no weights: a network shifts the tokens of every image; these are the tokens before that';
  return [
    ...(isPerImage(mode) ? [] : [metaNet === undefined ? same : shifted]),
    ...(isClassSpecific(mode) ? [] : ['no class-specific tokens: all classes share one prompt']),
  ];
}

/** Whether to skip an id. */
function skipped(
  tokenizer: ClipTokenizer,
  skip: readonly SkippableWords[],
  template: ReadonlySet<number>,
): (id: number) => boolean {
  const [special, fragments, start] = SKIPPABLE_WORDS.map((kind) => skip.includes(kind));
  return (id) => {
    const word = tokenizer.describe(id);
    if (!word || !tokenizer.isReadable(id) || (start && template.has(id))) return true;
    return (special && word.kind === 'special') || (fragments && word.kind === 'fragment') || false;
  };
}

/**
 * The weights w[i][j] for normalised image features [count, width]: [count, prompts, tokens], or null in the modes `cs` and `none`, where
 * prompts do not depend on the image. `memory` in bytes. Throws InputError if it cannot hold one image's weights.
 */
export async function promptWeights(
  model: PromptModel,
  features: Float32Array,
  memory: number,
): Promise<Float32Array | null> {
  if (!isPerImage(model.options.mode)) return null;
  const { engine } = model;
  const [prompts = 0, tokens = 0, width = 0] = model.prompts.shape;
  const count = features.length / width;
  using _limit = engine.workWithin(memory);
  const rest = engine.backend.memory.fixedBytes + 3 * 4 * model.prompts.size;
  const bytesPerImage = 4 * (2 * width + 3 * prompts * tokens);
  const most = Math.floor(((memory - rest) * ROW_SHARE) / bytesPerImage);
  if (most < 1) throw tooLittleMemory("weighting one image's prompts needs", bytesPerImage / ROW_SHARE + rest, memory);
  const weights = new Float32Array(count * prompts * tokens);
  for (let start = 0; start < count; start += most) {
    const images = Math.min(most, count - start);
    const data = features.subarray(start * width, (start + images) * width);
    using part = engine.scope(() => model.weights(engine.tensor(data, [images, width])));
    weights.set(await part.read(), start * prompts * tokens);
  }
  return weights;
}
