/** Zero-shot CLIP: hand-written prompts, no tuning (Radford et al., 2021, section 3.1). */
import type { ClipTokenizer } from '../clip/tokenizer/index.js';
import type { TextTower, TokenEmbeddings } from '../clip/towers/index.js';
import { compareFeatures, encodeTexts } from './encode.js';
import { finiteLogits, normalizedFeatures } from './features.js';

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
  return (await zeroShotScorer(tower, embeddings, tokenizer, texts, memory))(features);
}

/** The same for any number of calls: the texts are encoded once, now. */
export async function zeroShotScorer(
  tower: TextTower,
  embeddings: TokenEmbeddings,
  tokenizer: Pick<ClipTokenizer, 'encodeText'>,
  texts: readonly (string | readonly string[])[],
  memory: number,
): Promise<(features: Float32Array) => Promise<Float32Array>> {
  const { width, context } = tower.config.text;
  const all = texts.flatMap((own, c) => [own].flat().map((text) => ({ c, text })));
  const sequences = all.map(({ text }) => tokenizer.encodeText(text, context));
  const sums = new Float32Array(texts.length * width);
  let at = 0;
  for await (const encoded of encodeTexts(tower, embeddings, sequences, memory)) {
    const normalized = normalizedFeatures(encoded, width);
    for (let row = 0; row * width < normalized.length; row++, at++) {
      const { c } = all[at]!;
      for (let d = 0; d < width; d++) sums[c * width + d]! += normalized[row * width + d]!;
    }
  }
  const classFeatures = normalizedFeatures(sums, width);
  const { engine, logitScale } = tower;
  return async (features) =>
    finiteLogits(await compareFeatures(engine, features, classFeatures, width, logitScale, memory));
}
