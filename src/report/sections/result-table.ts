/** A table of results, as all formats have it. */
import type { Cell, ResultTable } from '../../ptdpc/experiment/index.js';
import { type Html, html, type Part } from '../format.js';
import { table } from '../page/document.js';

/** With its caption and notes. */
export function tableSection({ name, title, caption, head, rows, foot, notes }: ResultTable): Html {
  const lines = (cell: Cell): Part =>
    cell.length === 0 ? '–' : cell.map((line, i) => (i === 0 ? line : html`<small>${line}</small>`));
  return html`<p>${caption}</p>${table({
    label: title ?? name,
    head,
    rows: [...rows, ...foot].map(([heading = [], ...cells]) => [heading.join(' '), ...cells.map(lines)]),
  })}${notes.map((note) => html`<p><small>${note}</small></p>`)}`;
}
