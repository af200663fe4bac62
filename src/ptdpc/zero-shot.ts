/** CLIP as it comes: hand-written prompts, no tuning (Radford et al., 2021, section 3.1). */
import type { ClipTokenizer } from '../clip/tokenizer/index.js';
import type { TextTower, TokenEmbeddings } from '../clip/towers/index.js';
import { matmul } from '../tensor/index.js';
import { normalizedFeatures } from './features.js';
import { finiteLogits } from './finite.js';

/** The text of a class: the template with the class word in place of `{}`, or after it where there is no `{}`. */
export function classText(template: string, word: string): string {
  return template.includes('{}') ? template.replaceAll('{}', word) : `${template} ${word}`;
}

/**
 * Logits [count, classes] of normalised features [count, width]. `texts` has an entry for each class: one text, or several, whose
 * normalised features are averaged and normalised again (the prompt ensembling of the same section). Throws NonFiniteError where a logit is no number.
 */
export async function zeroShotLogits(
  tower: TextTower,
  embeddings: TokenEmbeddings,
  tokenizer: Pick<ClipTokenizer, 'encodeText'>,
  texts: readonly (string | readonly string[])[],
  features: Float32Array,
): Promise<Float32Array> {
  const { engine } = tower;
  const { width, context } = tower.config.text;
  const all = texts.flatMap((own, c) => [own].flat().map((text) => ({ c, text })));
  const sums = new Float32Array(texts.length * width);
  // As many texts at a time as there are classes: templates cost time, not memory.
  for (let start = 0; start < all.length; start += texts.length) {
    const some = all.slice(start, start + texts.length);
    const sequences = some.map(({ text }) => tokenizer.encodeText(text, context));
    using encoded = await tower.encodeTokens(sequences, embeddings);
    const normalized = normalizedFeatures(await encoded.read(), width);
    some.forEach(({ c }, row) => {
      for (let d = 0; d < width; d++) sums[c * width + d]! += normalized[row * width + d]!;
    });
  }
  const classFeatures = normalizedFeatures(sums, width);
  using logits = engine.scope(() =>
    matmul(
      engine.tensor(features, [features.length / width, width]),
      engine.tensor(classFeatures, [texts.length, width]),
      { transposeB: true, alpha: tower.logitScale },
    ),
  );
  return finiteLogits(await logits.read());
}
