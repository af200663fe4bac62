/** The page of a report, one file that loads nothing and runs no script, with its figures and tables. */
import { CHART_WIDTH, type Drawing } from '../drawing.js';
import { day, type Html, html, type Part, trusted } from '../format.js';
import { STYLE } from './style.js';

export interface Section {
  /** Its anchor: a name of ours, never data. */
  readonly id: string;
  readonly title: string;
  readonly body: Part;
}

/** When a page was written, and by which command. */
export interface Made {
  readonly date: Date;
  /** For a shell; null where a program wrote it. */
  readonly command: string | null;
}

export interface Page {
  /** A word or two above the title: what kind of page this is. */
  readonly kind: string;
  readonly title: string;
  readonly made?: Made | undefined;
  /** Content before the sections. */
  readonly opening: Part;
  readonly sections: readonly Section[];
  /** Who wrote the page. */
  readonly footer: string;
}

/** Even markup that slipped through could load and run nothing. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

export function page({ kind, title, made, opening, sections, footer }: Page): string {
  const document: Html = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title} · ${kind}</title>
<link rel="icon" href="data:,">
<style>${trusted(STYLE)}</style>
</head>
<body>
<main>
<header>
<p class="kicker">${kind}</p>
<h1>${title}</h1>
${made && html`<p class="made"><time datetime="${made.date.toISOString().slice(0, 10)}">${day(made.date)}</time>${made.command !== null && html` · <code>${made.command}</code>`}</p>`}
${opening}
<nav aria-label="Sections"><ul>${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
</header>
${sections.map(section)}
<footer>${footer}</footer>
</main>
</body>
</html>
`;
  return document.text;
}

function section({ id, title, body }: Section): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${body}
</section>
`;
}

/** How a legend shows a thing: the mark's form and its colour, both classes of the style sheet. */
export interface Key {
  readonly mark: 'line' | 'faint' | 'dashed' | 'dot' | 'ring' | 'square' | 'bar' | 'band' | 'diamond';
  readonly color: 'first' | 'second' | 'third' | 'muted';
  readonly text: string;
}

export interface Figure {
  readonly title: string;
  readonly drawing: Drawing;
  /** The key figures in a sentence or two: what a screen reader reads in place of the drawing. */
  readonly summary: string;
  readonly keys?: readonly Key[];
  readonly note?: Part;
  readonly data: Table;
}

export function figure({ title, drawing, summary, keys = [], note, data }: Figure): Html {
  const wide = drawing.width > CHART_WIDTH;
  const svg = trusted(drawing.svg);
  // A drawing that is wider than a phone keeps its size and scrolls in its frame; others take the width that there is.
  const image = wide
    ? html`<div class="scroll" role="group" tabindex="0" aria-label="${title}"><div class="drawing" role="img" aria-label="${summary}" style="width:${drawing.width}px">${svg}</div></div>`
    : html`<div class="drawing" role="img" aria-label="${summary}">${svg}</div>`;
  return html`<figure class="chart${wide ? ' wide' : ''}">
<figcaption>${title}${keys.length > 0 && html`<span class="legend">${keys.map(legendKey)}</span>`}</figcaption>
${image}
${note && html`<p class="note">${note}</p>`}
<details><summary>Numbers</summary>${table(data)}</details>
</figure>
`;
}

function legendKey({ mark, color, text }: Key): Html {
  return html`<span class="key"><i class="${mark} ${color}"></i>${text}</span>`;
}

export interface Table {
  /** What it shows, for those who do not see where it stands. */
  readonly label: string;
  readonly head: readonly Part[];
  /** The first cell of a row is its heading. */
  readonly rows: readonly (readonly Part[])[];
  /** `words`: cells aligned left. */
  readonly kind?: 'numbers' | 'words';
}

export function table({ label, head, rows, kind = 'numbers' }: Table): Html {
  const heading = (cell: Part) => (cell === '' ? html`<td></td>` : html`<th scope="col">${cell}</th>`);
  const row = ([first, ...rest]: readonly Part[]) =>
    html`<tr><th scope="row">${first}</th>${rest.map((cell) => html`<td>${cell}</td>`)}</tr>`;
  return html`<div class="scroll" role="group" tabindex="0" aria-label="${label}"><table class="${kind}">
<thead><tr>${head.map(heading)}</tr></thead>
<tbody>${rows.map(row)}</tbody>
</table></div>`;
}

/** Names and values, one pair per line; pairs without a value are left out. */
export function facts(pairs: readonly (readonly [name: string, value: Part])[]): Html {
  const given = pairs.filter(([, value]) => value !== null && value !== undefined && value !== '');
  return html`<table class="facts"><tbody>${given.map(
    ([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`,
  )}</tbody></table>`;
}
