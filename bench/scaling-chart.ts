/** A chart of seconds against rows, both logarithmic, with the straight line that proportional growth would be; as SVG. */

export interface Series {
  readonly name: string;
  readonly points: readonly { readonly label: string; readonly rows: number; readonly seconds: number }[];
}

const WIDTH = 720;
const HEIGHT = 440;
const MARGIN = { left: 70, right: 20, top: 44, bottom: 56 };
/** Told apart by shape too. */
const MARKS = [
  { color: '#0b6bcb', draw: (x: number, y: number) => `<circle cx="${x}" cy="${y}" r="5"/>` },
  { color: '#c2410c', draw: (x: number, y: number) => `<rect x="${x - 4.5}" y="${y - 4.5}" width="9" height="9"/>` },
  { color: '#15803d', draw: (x: number, y: number) => `<path d="M${x} ${y - 6}l6 10h-12z"/>` },
] as const;

export function scalingChart(title: string, series: readonly Series[]): string {
  const points = series.flatMap(({ points }) => points);
  const xAxis = axis(points.map(({ rows }) => rows));
  const yAxis = axis(points.map(({ seconds }) => seconds));
  const x = (rows: number) => round(MARGIN.left + xAxis.at(rows) * (WIDTH - MARGIN.left - MARGIN.right));
  const y = (seconds: number) =>
    round(HEIGHT - MARGIN.bottom - yAxis.at(seconds) * (HEIGHT - MARGIN.top - MARGIN.bottom));
  const rates = points.map(({ rows, seconds }) => seconds / rows).sort((a, b) => a - b);
  const rate = rates[rates.length >> 1] ?? 0;
  const [from, to] = [Math.min(...points.map(({ rows }) => rows)), Math.max(...points.map(({ rows }) => rows))];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="${title}">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
<text x="${MARGIN.left}" y="24" font-size="16">${title}</text>
${xAxis.ticks.map((tick) => `<path d="M${x(tick)} ${MARGIN.top}V${HEIGHT - MARGIN.bottom}" stroke="#ddd"/><text x="${x(tick)}" y="${HEIGHT - MARGIN.bottom + 18}" text-anchor="middle">${tick}</text>`).join('\n')}
${yAxis.ticks.map((tick) => `<path d="M${MARGIN.left} ${y(tick)}H${WIDTH - MARGIN.right}" stroke="#ddd"/><text x="${MARGIN.left - 8}" y="${y(tick) + 4}" text-anchor="end">${tick}</text>`).join('\n')}
<text x="${WIDTH / 2}" y="${HEIGHT - 14}" text-anchor="middle">rows of the text tower in the step</text>
<text transform="translate(18 ${HEIGHT / 2}) rotate(-90)" text-anchor="middle">seconds</text>
<path d="M${x(from)} ${y(from * rate)}L${x(to)} ${y(to * rate)}" stroke="#666" stroke-dasharray="5 4"/>
${series.map(({ name, points }, i) => marks(name, points, i)).join('\n')}
</svg>
`;

  function marks(name: string, points: Series['points'], i: number): string {
    const { color, draw } = MARKS[i % MARKS.length]!;
    const key = `${draw(MARGIN.left + 20, MARGIN.top + 18 + 22 * i)}<text x="${MARGIN.left + 34}" y="${MARGIN.top + 22 + 22 * i}">${name} ${points.map(({ label }) => label).join(', ')}</text>`;
    return `<g fill="${color}">${key}${points.map(({ rows, seconds }) => draw(x(rows), y(seconds))).join('')}</g>`;
  }
}

/** A logarithmic axis over the values: powers of ten as ticks, with their doubles and quintuples where there is room. */
function axis(values: readonly number[]): { ticks: number[]; at: (value: number) => number } {
  const [low, high] = [Math.log10(Math.min(...values)) - 0.1, Math.log10(Math.max(...values)) + 0.1];
  const ticks: number[] = [];
  for (let power = Math.floor(low); power <= high; power++) {
    for (const step of high - low > 2.5 ? [1] : [1, 2, 5]) {
      const tick = Number((step * 10 ** power).toPrecision(1));
      if (Math.log10(tick) >= low && Math.log10(tick) <= high) ticks.push(tick);
    }
  }
  return { ticks, at: (value) => (Math.log10(value) - low) / (high - low) };
}

function round(value: number): number {
  return Math.round(10 * value) / 10;
}
