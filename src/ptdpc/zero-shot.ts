/** CLIP as it comes: hand-written prompts, no tuning (Radford et al., 2021, section 3.1). */
import type { ClipTokenizer } from '../clip/tokenizer/index.js';
import type { TextTower, TokenEmbeddings } from '../clip/towers/index.js';
import { matmul, normalizeRows } from '../tensor/index.js';

/** The text of a class: the template with the class word in place of `{}`, or after it where there is no `{}`. */
export function classText(template: string, word: string): string {
  return template.includes('{}') ? template.replaceAll('{}', word) : `${template} ${word}`;
}

/** Logits [count, classes] of normalised features [count, width] against one text per class. */
export async function zeroShotLogits(
  tower: TextTower,
  embeddings: TokenEmbeddings,
  tokenizer: Pick<ClipTokenizer, 'encodeText'>,
  texts: readonly string[],
  features: Float32Array,
): Promise<Float32Array> {
  const { engine } = tower;
  const { width, context } = tower.config.text;
  const sequences = texts.map((text) => tokenizer.encodeText(text, context));
  using encoded = await tower.encodeTokens(sequences, embeddings);
  using logits = engine.scope(() =>
    matmul(engine.tensor(features, [features.length / width, width]), normalizeRows(encoded), {
      transposeB: true,
      alpha: tower.logitScale,
    }),
  );
  return logits.read();
}
