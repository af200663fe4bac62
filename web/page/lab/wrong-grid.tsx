/** The map of wrong elements over an output: crosses where it is wrong, lines between workgroups. */
import type { WrongMap } from '../../../src/lab/index.js';
import { counted } from '../format.js';

/** Elements drawn along each axis at most. */
const MOST = 64;
const CELL = 8;

export function WrongGrid({ map: { output, rows, columns, wrong, groups } }: { readonly map: WrongMap }) {
  const first = Math.max(0, wrong.indexOf(1));
  const start = (place: number, all: number) => Math.max(0, Math.min(place - MOST / 2, all - MOST));
  const [top, left] = [start(Math.floor(first / columns), rows), start(first % columns, columns)];
  const [height, width] = [Math.min(MOST, rows - top), Math.min(MOST, columns - left)];
  let crosses = '';
  let edges = '';
  for (let r = 0; r < height; r++) {
    for (let c = 0; c < width; c++) {
      const at = (top + r) * columns + left + c;
      if (at >= wrong.length) break;
      const [x, y] = [c * CELL, r * CELL];
      if (wrong[at] === 1) crosses += `M${x + 1.5} ${y + 1.5}l5 5m0 -5l-5 5`;
      if (c > 0 && groups[at] !== groups[at - 1]) edges += `M${x} ${y}v${CELL}`;
      if (r > 0 && groups[at] !== groups[at - columns]) edges += `M${x} ${y}h${CELL}`;
    }
  }
  const count = wrong.reduce((sum, one) => sum + one, 0);
  const label = `${count} of ${counted(wrong.length, 'element')} of ${output} ${count === 1 ? 'is' : 'are'} wrong, the first in row ${Math.floor(first / columns)}, column ${first % columns}`;
  return (
    <figure class="course-map">
      <svg
        role="img"
        aria-label={label}
        viewBox={`-1 -1 ${width * CELL + 2} ${height * CELL + 2}`}
        width={width * CELL + 2}
      >
        <rect class="paper" width={width * CELL} height={height * CELL} />
        <path class="edges" d={edges} />
        <path class="crosses" d={crosses} />
      </svg>
      <figcaption>
        {label}.{' '}
        {(height < rows || width < columns) &&
          `Drawn: rows ${top} to ${top + height - 1} of ${rows}, columns ${left} to ${left + width - 1} of ${columns}. `}
        A cross is a wrong element, a line the edge of a workgroup.
      </figcaption>
    </figure>
  );
}
