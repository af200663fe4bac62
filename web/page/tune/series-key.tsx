/** How the lines of a chart of many runs differ: by colour, dash and mark. */
import type { Line } from '../../../src/report/charts/lines.js';

type Series = Pick<Line, 'color' | 'hollow' | 'plain'>;

const COLORS = ['first', 'second', 'third'] as const;

/** Lines that can be told apart. */
export const MOST_LINES = 2 * COLORS.length;

/** The look of the line at this place. */
export function seriesAt(place: number): Series {
  return { color: COLORS[place % COLORS.length]!, ...(place >= COLORS.length && { hollow: true }) };
}

const STROKES = {
  first: ['var(--series-1)', undefined, '9 2'],
  second: ['var(--series-2)', '6 3', '6 2 1 2'],
  third: ['var(--series-3)', '2 3', '1 2'],
  muted: ['var(--muted)', '9 3 2 3', '4 8'],
} as const;

/** A line of a legend, as the chart draws it. */
export function SeriesKey({ color, hollow = false, plain = false }: Series) {
  const [stroke, solid, other] = STROKES[color];
  return (
    <svg class="series-key" width="28" height="10" aria-hidden="true">
      <path d="M0 5H28" {...{ stroke }} stroke-width="2" stroke-dasharray={hollow ? other : solid} fill="none" />
      {!plain && <Mark kind={color} x={14} y={5} r={3} stroke={stroke} fill={hollow ? 'var(--paper)' : stroke} />}
    </svg>
  );
}

interface MarkProps {
  readonly kind: Line['color'];
  readonly x: number;
  readonly y: number;
  readonly r: number;
  readonly stroke: string;
  readonly fill: string;
}

/** The mark of a series. */
export function Mark({ kind, x, y, r, stroke, fill }: MarkProps) {
  const paint = { stroke, fill, 'stroke-width': 1.2 };
  if (kind === 'first') return <circle cx={x} cy={y} r={r} {...paint} />;
  if (kind === 'second') return <rect x={x - r * 0.9} y={y - r * 0.9} width={r * 1.8} height={r * 1.8} {...paint} />;
  if (kind === 'third')
    return <path d={`M${x} ${y - 1.3 * r}L${x + 1.2 * r} ${y + 0.9 * r}H${x - 1.2 * r}Z`} {...paint} />;
  return <path d={`M${x} ${y - 1.3 * r}L${x + 1.3 * r} ${y}L${x} ${y + 1.3 * r}L${x - 1.3 * r} ${y}Z`} {...paint} />;
}
