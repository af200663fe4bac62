/** Tables. Each may be wider than the page: it scrolls in a frame that the keyboard reaches. */
import { type Html, html, type Part } from '../html.js';

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

/** Names and values, one pair a line; pairs without a value are left out. */
export function facts(pairs: readonly (readonly [name: string, value: Part])[]): Html {
  const given = pairs.filter(([, value]) => value !== null && value !== undefined && value !== '');
  return html`<table class="facts"><tbody>${given.map(
    ([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`,
  )}</tbody></table>`;
}
