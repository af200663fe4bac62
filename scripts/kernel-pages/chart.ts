/** A ladder's rungs as bars: an SVG that stands beside their table and follows the reader's colour scheme. */
import { digits, type Part, type Result, type Time } from './figures.js';

const WIDTH = 720;
const ROW = 26;
const TOP = 34;
/** Where bars begin and where the longest ends; the value's text follows. */
const [LEFT, RIGHT] = [190, 640];

/** Bars that differ by more than this could not all be seen on a linear scale. */
const MOST_LINEAR = 30;

/** Where a ladder's chart lies, below docs/. */
export function chartPath(ladder: string): string {
  return `images/ladders/${ladder.replace(/[^\w]+/g, '-')}.svg`;
}

/** The chart in words, for who does not see it. */
export function chartText(result: Result, rungs: readonly Time[], { ceilings }: Part): string {
  const values = rungs.map((time) => `${rungName(time)} ${digits(speed(result, time))}`).join(', ');
  return `GFLOP/s of each rung: ${values}. The ceiling is ${digits(ceilings.gflops)}.`;
}

/** The chart of the rungs in this order. */
export function chart(ladder: string, result: Result, rungs: readonly Time[], part: Part): string {
  const speeds = rungs.map((time) => speed(result, time));
  const ceiling = part.ceilings.gflops;
  const least = Math.min(...speeds);
  const isLog = ceiling / least > MOST_LINEAR && Math.max(...speeds) / least > MOST_LINEAR;
  const from = isLog ? 10 ** Math.floor(Math.log10(least)) : 0;
  const share = (value: number) =>
    isLog ? Math.log10(value / from) / Math.log10(ceiling / from) : (value - from) / (ceiling - from);
  const x = (value: number) => Math.round(10 * (LEFT + (RIGHT - LEFT) * share(value))) / 10;
  const bottom = TOP + ROW * rungs.length;
  const bars = rungs.flatMap((time, i) => {
    const y = TOP + ROW * i;
    const end = x(speeds[i]!);
    return [
      `<text x="${LEFT - 10}" y="${y + 17}" class="e">${rungName(time)}</text>`,
      `<rect x="${LEFT}" y="${y + 4}" width="${Math.round(10 * (end - LEFT)) / 10}" height="${ROW - 8}" class="${isShipped(time) ? 'bar' : 'pale'}"/>`,
      `<text x="${end + 7}" y="${y + 17}">${digits(speeds[i]!)}</text>`,
    ];
  });
  const lines = ticks(from, ceiling, isLog).flatMap((value) => [
    `<path class="tick" d="M${x(value)} ${TOP}V${bottom}"/>`,
    `<text x="${x(value)}" y="${bottom + 18}" class="s m">${value}</text>`,
  ]);
  const height = bottom + 56;
  const legend = `GFLOP/s${isLog ? ', logarithmic scale' : ''}`;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title description" font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif">`,
    `<title id="title">Speed of the rungs of the ladder: ${ladder}</title>`,
    `<desc id="description">${chartText(result, rungs, part)}</desc>`,
    STYLE,
    `<rect class="page" width="${WIDTH}" height="${height}" rx="8"/>`,
    ...lines,
    `<path class="top" d="M${RIGHT} ${TOP - 6}V${bottom}"/>`,
    `<text x="${RIGHT}" y="${TOP - 12}" class="s m">ceiling ${digits(ceiling)}</text>`,
    ...bars,
    `<text x="16" y="${height - 12}" class="s">${legend}</text>`,
    `<rect x="520" y="${height - 22}" width="12" height="12" class="bar"/><text x="538" y="${height - 12}" class="s">shipped</text>`,
    `<rect x="606" y="${height - 22}" width="12" height="12" class="pale"/><text x="624" y="${height - 12}" class="s">in a file</text>`,
    '</svg>',
  ].join('\n')}\n`;
}

/** Colours for both schemes, and classes of text and lines. */
export const STYLE = `<style>
:root{--ink:#1f2430;--soft:#5a6272;--line:#8d96a6;--page:#ffffff;--bar:#3b5bbf}
@media (prefers-color-scheme:dark){:root{--ink:#e8ebf2;--soft:#a6afc0;--line:#717b8e;--page:#14171d;--bar:#8aa4f5}}
text{font-size:13px;fill:var(--ink)}.s{font-size:12px;fill:var(--soft)}.m{text-anchor:middle}.e{text-anchor:end}
.page{fill:var(--page)}.bar{fill:var(--bar)}.pale{fill:var(--bar);fill-opacity:.35;stroke:var(--bar)}.tick{stroke:var(--line);stroke-opacity:.35}.top{stroke:var(--soft);stroke-dasharray:4 3}
</style>`;

function ticks(from: number, to: number, isLog: boolean): number[] {
  if (isLog) {
    const count = Math.floor(Math.log10(to / from) + 1e-9) + 1;
    // The last power of ten may be where the ceiling is.
    return Array.from({ length: count }, (_, i) => Number((from * 10 ** i).toPrecision(1))).filter((x) => x < 0.8 * to);
  }
  const step = 10 ** Math.floor(Math.log10(to / 2));
  const wide = [1, 2, 5, 10].map((n) => n * step).find((step) => to / step <= 6)!;
  return Array.from({ length: Math.floor(to / wide) + 1 }, (_, i) => i * wide).filter((x) => x < 0.96 * to);
}

function speed({ flops }: Result, { milliseconds }: Time): number {
  return flops / milliseconds / 1e6;
}

function rungName({ name }: Time): string {
  return name.replace('.wgsl', '');
}

/** The others are files of docs/kernels/ladders. */
function isShipped({ name }: Time): boolean {
  return !name.endsWith('.wgsl');
}
