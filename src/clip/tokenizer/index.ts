/**
 * CLIP's text tokenizer: text to token ids and back, from a vocabulary file that comes with the checkpoint.
 *
 * `clean-text.ts` is the text side, `merges.ts` and `byte-pair-encoder.ts` the byte-level
 * BPE, `token-ids.ts` the files that give ids, `clip-tokenizer.ts` joins them. Everything here runs unchanged in a browser.
 */
export { ClipTokenizer, type ClipTokenizerOptions, type TokenText } from './clip-tokenizer.js';
