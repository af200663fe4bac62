/**
 * Text cleaning as in CLIP's tokenizer, before splitting into words: resolves HTML character references twice, collapses
 * white space, and lower-cases. Each step reproduces what Python's `html`, `str` and `regex` do on any Unicode text in the
 * original (`clip/simple_tokenizer.py` of openai/CLIP).
 *
 * Not reproduced: the original first runs `ftfy.fix_text`, which repairs mis-decoded text ("mojibake"), straightens curly quotes,
 * expands ligatures and full-width forms, and composes accents (NFC). Text that needs none of that is unaffected.
 */
import { decodeHTML } from 'entities';

/**
 * Character references as matched by Python's `html.unescape`: a name of at most 32 characters, the semicolon optional.
 * Each match is resolved separately, so that dropping one cannot form a new reference from the text around it.
 */
const CHARACTER_REFERENCE = /&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)/gu;

/** `\s` in Python's `regex` is the White_Space property; JavaScript's `\s` lacks U+0085 and adds U+FEFF. */
const WHITE_SPACE_RUN = /\p{White_Space}+/gu;
const WHITE_SPACE = /^\p{White_Space}$/u;

/** Cleans `text` as CLIP does; the result has single spaces, none at either end, and no upper-case letters. */
export function cleanText(text: string): string {
  const unescaped = unescapeHtml(unescapeHtml(text));
  return strip(strip(unescaped).replace(WHITE_SPACE_RUN, ' ')).toLowerCase();
}

/** Python's `html.unescape`. */
export function unescapeHtml(text: string): string {
  return text.replace(CHARACTER_REFERENCE, (reference) => (isDropped(reference) ? '' : decodeHTML(reference)));
}

/**
 * Whether a numeric reference names a code point that Python drops: control characters and noncharacters. (The HTML
 * standard, and therefore `entities`, keeps them. Both read U+0080..U+009F as Windows-1252.)
 */
function isDropped(reference: string): boolean {
  if (reference[1] !== '#') return false;
  const hexadecimal = reference[2] === 'x' || reference[2] === 'X';
  const codePoint = Number.parseInt(reference.slice(hexadecimal ? 3 : 2), hexadecimal ? 16 : 10);
  return (
    (codePoint >= 0x01 && codePoint <= 0x08) ||
    codePoint === 0x0b ||
    (codePoint >= 0x0e && codePoint <= 0x1f) ||
    codePoint === 0x7f ||
    (codePoint >= 0xfdd0 && codePoint <= 0xfdef) ||
    (codePoint <= 0x10ffff && (codePoint & 0xfffe) === 0xfffe)
  );
}

/** Python's `str.strip`, which also treats the four ASCII separators U+001C..U+001F as white space. */
function strip(text: string): string {
  // A regular expression anchored at the end would take quadratic time on long runs of spaces.
  let start = 0;
  let end = text.length;
  while (start < end && isStripped(text.charCodeAt(start))) start++;
  while (end > start && isStripped(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isStripped(codeUnit: number): boolean {
  return (codeUnit >= 0x1c && codeUnit <= 0x1f) || WHITE_SPACE.test(String.fromCharCode(codeUnit));
}
