/**
 * The printable character that stands for each byte in a vocabulary file, and the order of the first 512 tokens.
 *
 * Byte-level BPE (GPT-2, then CLIP) writes its merges as text, so that every byte needs a visible character: bytes that are
 * printable in Latin-1 stand for themselves, the 68 others take U+0100, U+0101, ... in order. The base vocabulary lists
 * the printable bytes first, and then all 256 again with the end-of-word mark.
 */

/** Ends the last symbol of a word. */
export const END_OF_WORD = '</w>';

/** Number of tokens before the merges: each byte inside a word and at the end of one. */
export const BASE_TOKENS = 512;

const printable = (byte: number) =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);

const allBytes = Array.from({ length: 256 }, (_, byte) => byte);
const unprintableBytes = allBytes.filter((byte) => !printable(byte));

/** The bytes in the order of their token ids. */
const bytesById = [...allBytes.filter(printable), ...unprintableBytes];

/** The character that stands for a byte, by token id. */
export const byteSymbols: readonly string[] = bytesById.map((byte) =>
  String.fromCharCode(printable(byte) ? byte : 0x100 + unprintableBytes.indexOf(byte)),
);

/** Token id of a byte inside a word; 256 more is its id at the end of one. */
export const idOfByte: Uint8Array = new Uint8Array(256);
for (const [id, byte] of bytesById.entries()) idOfByte[byte] = id;

/** The byte that a character of a token stands for. */
export const byteOfSymbol: ReadonlyMap<string, number> = new Map(
  byteSymbols.map((symbol, id) => [symbol, bytesById[id] ?? 0]),
);
