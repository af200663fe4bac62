/** A table that may be wider than the page: it scrolls in a frame that the keyboard reaches. */
import type { ComponentChildren } from 'preact';

export interface TableData {
  /** What it shows, for those who do not see where it stands. */
  readonly label: string;
  readonly head: readonly string[];
  /** The first cell of a row is its heading. */
  readonly rows: readonly (readonly ComponentChildren[])[];
  /** `words`: cells aligned left. */
  readonly kind?: 'numbers' | 'words';
}

export function DataTable({ label, head, rows, kind = 'numbers' }: TableData) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section class="scroll" tabIndex={0} aria-label={label}>
      <table class={kind}>
        <thead>
          <tr>
            {head.map((cell) =>
              cell === '' ? (
                <td key="" />
              ) : (
                <th key={cell} scope="col">
                  {cell}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map(([first, ...rest], row) => (
            <tr key={row}>
              <th scope="row">{first}</th>
              {rest.map((cell, column) => (
                <td key={head[column + 1]}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
