/**
 * The cleaning that CLIP's tokenizer applies before it splits a text into words: HTML character references are resolved
 * twice, white space is collapsed, everything is lower-cased. The original (`clip/simple_tokenizer.py` of openai/CLIP) is
 * Python; each step here reproduces what Python's `html`, `str` and `regex` do on any Unicode text.
 *
 * Not reproduced: the original runs `ftfy.fix_text` first, which repairs mis-decoded text ("mojibake"), straightens curly quotes,
 * unfolds ligatures and full-width forms, and composes accents (NFC). Text that needs none of that is unaffected.
 */
import { decodeHTML } from 'entities';

/**
 * What Python's `html.unescape` takes for a character reference: at most 32 characters of a name, its semicolon optional.
 * Each match is resolved on its own, so that text left by a dropped reference cannot form a new one.
 */
const CHARACTER_REFERENCE = /&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)/gu;

/** The White_Space property is what `\s` means in Python's `regex`; JavaScript's own `\s` lacks U+0085 and adds U+FEFF. */
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
 * standard, and so `entities`, keeps them. U+0080..U+009F mean Windows-1252 in both.)
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

/** Python's `str.strip`, which also takes the four ASCII separators U+001C..U+001F for white space. */
function strip(text: string): string {
  // Not a regular expression: one anchored at the end takes quadratic time on long runs of spaces.
  let start = 0;
  let end = text.length;
  while (start < end && isStripped(text.charCodeAt(start))) start++;
  while (end > start && isStripped(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isStripped(codeUnit: number): boolean {
  return (codeUnit >= 0x1c && codeUnit <= 0x1f) || WHITE_SPACE.test(String.fromCharCode(codeUnit));
}
