/** A chart on the page: its title and legend, the drawing with what it says in words, and its numbers as a table. */

import type { Drawing } from '../drawing.js';
import { type Html, html, type Part, trusted } from '../html.js';
import { CHART_WIDTH } from '../svg.js';
import { type Table, table } from './table.js';

/** How a legend shows a thing: the mark's form and its colour, both classes of the style sheet. */
export interface Key {
  readonly mark: 'line' | 'faint' | 'dashed' | 'dot' | 'bar' | 'band' | 'diamond';
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
