/**
 * CLIP's text tokenizer: text to token ids and back, with the vocabulary file that comes with a checkpoint.
 *
 * `clean-text.ts` cleans the text, `merges.ts` and `byte-pair-encoder.ts` are the byte-level BPE, `token-ids.ts` reads files
 * with ids, and `clip-tokenizer.ts` combines them.
 */
export { ClipTokenizer, type ClipTokenizerOptions, type TokenText } from './clip-tokenizer.js';
