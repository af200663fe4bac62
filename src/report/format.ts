/** Numbers as a report writes them, and `html`, a template tag that escapes everything it is given. */
import { escapeUTF8 } from 'entities';

/** A share in per cent, one digit after the point and a space that does not break; a dash for null. */
export function percent(share: number | null): string {
  return share === null ? '–' : `${(100 * share).toFixed(1)}\u00a0%`;
}

/** A share in per cent without the sign, as tables and cells have it. */
export function points(share: number | null, digits = 2): string {
  return share === null ? '–' : (100 * share).toFixed(digits);
}

/** A difference of shares in percentage points, with its sign. */
export function signedPoints(share: number, digits = 1): string {
  const text = Math.abs(100 * share).toFixed(digits);
  if (Number(text) === 0) return text;
  return `${share > 0 ? '+' : '−'}${text}`;
}

/** `= 0.023`, or `< 0.001`: behind the letter of a p-value. */
export function ofP(value: number): string {
  if (value < 0.001) return '<\u00a00.001';
  return `=\u00a0${value < 0.1 ? shortest(value, 2) : value.toFixed(2)}`;
}

/** A day as people write it, in UTC, so that the same moment gives the same page everywhere. */
export function day(date: Date): string {
  return date.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' });
}

/** A loss: four significant digits. */
export function figure(value: number | null): string {
  return value === null ? '–' : shortest(value, 4);
}

/** Up to `digits` significant digits, without zeros at the end. */
export function shortest(value: number, digits: number): string {
  const text = String(Number(value.toPrecision(digits)));
  return text.replace('-', '−');
}

/** With thin spaces between thousands. */
export function whole(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** `3 images`, `1 image`; `plural` if it takes more than an s. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${whole(count)} ${count === 1 ? noun : plural}`;
}

// Markup that cannot be broken by what it shows: `html` escapes every value that is put into it, unless the value is markup that
// `html` itself has made. Class words, paths and file names come from users' data and are shown as they are.

/** A piece of markup. Only `html` and `trusted` make one. */
export class Html {
  constructor(readonly text: string) {}
}

/** Values allowed in a template; null and false produce nothing. */
export type Part = string | number | Html | null | undefined | false | readonly Part[];

/** The tag of templates: text between tags and attributes in double quotes are both safe places for a value. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  const text = strings.reduce((before, string, i) => before + toMarkup(parts[i - 1]) + string);
  return new Html(text);
}

/** Markup from elsewhere: the SVG of a chart, the style sheet. Never data. */
export function trusted(text: string): Html {
  return new Html(text);
}

function toMarkup(part: Part): string {
  if (part === null || part === undefined || part === false) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(toMarkup).join('');
  return escapeUTF8(String(part));
}
