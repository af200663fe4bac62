/**
 * Markup that cannot be broken by what it shows: `html` escapes every value that is put into it, unless the value is markup that
 * `html` itself has made. Class words, paths and file names come from users' data and are shown as they are.
 */
import { escapeUTF8 } from 'entities';

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
