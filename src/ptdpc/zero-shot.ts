/** Zero-shot CLIP: hand-written prompts, no tuning (Radford et al., 2021, section 3.1). */
import type { ClipTokenizer } from '../clip/tokenizer/index.js';
import type { TextTower, TokenEmbeddings } from '../clip/towers/index.js';
import type { PromptSetup } from '../learners/prompts/index.js';
import { encodeTexts, textScorer } from './encode.js';
import { normalizedFeatures } from './features.js';
import { classTokens } from './prompt-text.js';

/** The text of a class: the template with the class word in place of `{}`, or after it if there is no `{}`. */
export function classText(template: string, word: string): string {
  return template.includes('{}') ? template.replaceAll('{}', word) : `${template} ${word}`;
}

/**
 * Logits [count, classes] of normalised features [count, width]. `texts` has one or several texts per class; the normalised features of
 * several are averaged and normalised again (prompt ensembling, same section). `memory` (in bytes) limits the texts and images processed at
 * a time. Throws NonFiniteError if a logit is NaN or infinite, InputError if not even one text fits.
 */
export async function zeroShotLogits(
  tower: TextTower,
  embeddings: TokenEmbeddings,
  tokenizer: Pick<ClipTokenizer, 'encodeText'>,
  texts: readonly (string | readonly string[])[],
  features: Float32Array,
  memory: number,
): Promise<Float32Array> {
  const { projectionDim: width, text } = tower.config;
  const sequences = texts.map((own) => [own].flat().map((line) => tokenizer.encodeText(line, text.context)));
  const classes = await classFeatures(tower, embeddings, sequences, memory);
  return await textScorer(tower.engine, classes, width, tower.logitScale, memory)(features);
}

/**
 * The token sequences of each class: a template with its word, for all templates. Throws InputError if two words have the same tokens, and for
 * a text that is longer than the context.
 */
export function zeroShotTexts(
  tokenizer: ClipTokenizer,
  words: readonly string[],
  templates: readonly string[],
  context: number,
): (readonly number[])[][] {
  classTokens(tokenizer, words);
  return words.map((word) => templates.map((template) => tokenizer.encodeText(classText(template, word), context)));
}

/**
 * What a guide compares learned prompts with (`LearnedStart`): the normalised features of its hand-written prompt for each class. Undefined for
 * learners that have no guide. `memory` in bytes.
 */
export async function anchorsOf(
  tower: TextTower,
  embeddings: TokenEmbeddings,
  tokenizer: ClipTokenizer,
  classes: readonly string[],
  { model, template }: PromptSetup,
  memory: number,
): Promise<Float32Array | undefined> {
  if (!model.guide) return undefined;
  const texts = zeroShotTexts(tokenizer, classes, [template], tower.config.text.context);
  return await classFeatures(tower, embeddings, texts, memory);
}

/** What zero-shot compares images with, [classes, width], from the token sequences of each class's texts. */
export async function classFeatures(
  tower: TextTower,
  embeddings: TokenEmbeddings,
  texts: readonly (readonly (readonly number[])[])[],
  memory: number,
): Promise<Float32Array> {
  const { projectionDim: width } = tower.config;
  const all = texts.flatMap((own, c) => own.map((sequence) => ({ c, sequence })));
  const sequences = all.map(({ sequence }) => sequence);
  const sums = new Float32Array(texts.length * width);
  let at = 0;
  for await (const encoded of encodeTexts(tower, embeddings, sequences, memory)) {
    const normalized = normalizedFeatures(encoded, width);
    for (let row = 0; row * width < normalized.length; row++, at++) {
      const { c } = all[at]!;
      for (let d = 0; d < width; d++) sums[c * width + d]! += normalized[row * width + d]!;
    }
  }
  return normalizedFeatures(sums, width);
}
