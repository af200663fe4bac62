/**
 * How CLIP cuts a cleaned text into words before byte-pair encoding: special tokens, English contractions, runs of letters,
 * single digits, and runs of anything else that is not white space (pattern of `clip/simple_tokenizer.py`, openai/CLIP).
 *
 * The original pattern ignores case. On lower-cased text that leaves two effects, both spelt out here instead of using the
 * `i` flag, which JavaScript would also apply to `\p{L}`: the long s (U+017F) stands for s in the literals, and U+0345, a mark
 * whose upper case is the letter iota, belongs to no class and is dropped.
 */
const WORD =
  /<\|[sſ]tartoftext\|>|<\|endoftext\|>|'[sſ]|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|(?:(?!\u0345)[^\p{White_Space}\p{L}\p{N}])+/gu;

/** The words of `cleaned` (a result of `cleanText`), in order; white space is dropped. */
export function splitWords(cleaned: string): string[] {
  return cleaned.match(WORD) ?? [];
}
