/** A chart with its title, what it says in words, and its numbers as a table. */
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Drawing } from '../../src/report/drawing.js';
import { drawnMarkup } from '../trusted.js';
import { DataTable, type TableData } from './data-table.js';

type Drawings = typeof import('./drawings.js');

export interface ChartProps {
  readonly title: string;
  /** Draws, with what this module's first user has loaded. The same function draws the same. */
  readonly draw: (drawings: Drawings) => Drawing;
  /** The key figures in a sentence or two: what a screen reader reads in place of the drawing. */
  readonly summary: string;
  readonly legend?: ComponentChildren;
  readonly note?: ComponentChildren;
  readonly data: TableData;
}

export function Chart({ title, draw, summary, legend, note, data }: ChartProps) {
  const [drawings, setDrawings] = useState<Drawings>();
  useEffect(() => {
    void import('./drawings.js').then((loaded) => setDrawings(() => loaded));
  }, []);
  return (
    <figure class="chart">
      <figcaption>
        {title}
        {legend && <span class="legend">{legend}</span>}
      </figcaption>
      {drawings ? <Drawn drawings={drawings} draw={draw} summary={summary} /> : <div class="drawing" />}
      {note && <p class="note">{note}</p>}
      <details>
        <summary>Numbers</summary>
        <DataTable {...data} />
      </details>
    </figure>
  );
}

function Drawn({ drawings, draw, summary }: Pick<ChartProps, 'draw' | 'summary'> & { readonly drawings: Drawings }) {
  // A large one takes a fifth of a second, and its frame is rendered for many reasons.
  const markup = useMemo(() => ({ __html: drawnMarkup(drawings.withoutStyles(draw(drawings))) }), [drawings, draw]);
  return (
    <div class="scroll">
      {/* What ECharts drew, which escapes data. */}
      <div class="drawing" role="img" aria-label={summary} dangerouslySetInnerHTML={markup} />
    </div>
  );
}
