/**
 * Charts as SVG text, drawn by ECharts without a browser (Apache ECharts, server-side rendering). Only the parts that are used are
 * imported. Colours are the custom properties of the page's style sheet, so one drawing serves light and dark.
 */
import { CustomChart, type CustomSeriesOption, LineChart, type LineSeriesOption } from 'echarts/charts';
import { GridComponent, type GridComponentOption } from 'echarts/components';
import { type ComposeOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { Drawing } from './drawing.js';
import { SERIES, type SeriesColor } from './series.js';

use([LineChart, CustomChart, GridComponent, SVGRenderer]);

export type ChartOption = ComposeOption<LineSeriesOption | CustomSeriesOption | GridComponentOption>;

/** The colours of charts: custom properties, defined in page/style.ts. */
export const COLOR = {
  ink: 'var(--ink)',
  muted: 'var(--muted)',
  rule: 'var(--rule)',
  first: 'var(--series-1)',
  second: 'var(--series-2)',
  third: 'var(--series-3)',
  paper: 'var(--paper)',
} as const;

type Style = { fill?: string; stroke?: string; lineWidth?: number; opacity?: number };

/** A series' mark, of about the area of a circle of the radius `r`, as an element of a custom chart. */
export function mark(color: SeriesColor, x: number, y: number, r: number, style: Style) {
  const shape = SERIES[color].mark;
  if (shape === 'circle') return { type: 'circle' as const, shape: { cx: x, cy: y, r }, style };
  const half = 0.886 * r;
  const corners: Record<Exclude<typeof shape, 'circle'>, [number, number][]> = {
    rect: [
      [x - half, y - half],
      [x + half, y - half],
      [x + half, y + half],
      [x - half, y + half],
    ],
    triangle: [
      [x, y - 1.45 * r],
      [x + 1.3 * r, y + 0.85 * r],
      [x - 1.3 * r, y + 0.85 * r],
    ],
    diamond: [
      [x, y - 1.3 * r],
      [x + 1.3 * r, y],
      [x, y + 1.3 * r],
      [x - 1.3 * r, y],
    ],
  };
  return { type: 'polygon' as const, shape: { points: corners[shape] }, style };
}

/** A step of 1, 2 or 5 times a power of ten that cuts the range into a few parts. */
export function niceStep(range: number): number {
  const least = Math.max(range, 0.01) / 4;
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= least * (1 - 1e-9)) ?? 10);
}

export const FONT_SIZE = 11;

/** Draws. The same option gives the same text. */
export function draw(width: number, height: number, option: ChartOption): Drawing {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({
      animation: false,
      textStyle: { fontFamily: 'inherit', fontSize: FONT_SIZE, color: COLOR.muted },
      ...guarded(option),
    });
    return { svg: tidy(chart.renderToSVGString()), width, height };
  } finally {
    chart.dispose();
  }
}

/** Invisible, and taken out of the drawing again. */
const WORD_JOINER = '\u2060';

/** The names that every object has. */
const INHERITED = new RegExp(Object.getOwnPropertyNames(Object.prototype).join('|'), 'g');

/**
 * An option whose texts are none of the names that every object has: ECharts keeps the widths of texts in a plain object, and for such a name
 * writes into the prototype of all objects. `draw` does it for its option; what a custom chart writes by itself must do it too.
 */
export function guarded<T>(option: T): T {
  if (typeof option === 'string')
    return option.replace(INHERITED, (name) => name[0] + WORD_JOINER + name.slice(1)) as T;
  if (Array.isArray(option)) return option.map(guarded) as T;
  if (typeof option !== 'object' || option === null) return option;
  return Object.fromEntries(Object.entries(option).map(([key, value]) => [key, guarded(value as unknown)])) as T;
}

/** Width of a text in the page's font, roughly: there is no font to measure here. */
export function textWidth(text: string, size = FONT_SIZE): number {
  return [...text].length * size * 0.58;
}

/** What axes have in common: thin rules, quiet labels. */
export const AXIS = {
  axisLine: { show: true, lineStyle: { color: COLOR.rule } },
  axisTick: { show: false },
  axisLabel: { color: COLOR.muted, fontSize: FONT_SIZE, hideOverlap: true },
  splitLine: { lineStyle: { color: COLOR.rule } },
  nameTextStyle: { color: COLOR.muted, fontSize: FONT_SIZE },
} as const;

/**
 * Leaves out what serves a pointer or a script only (hover rules, marks of series), and clipping, since no chart has data beyond its
 * edges. With them go all names that are numbered through the life of the process: an option has one drawing.
 * In what ECharts writes, data is escaped: none of these patterns can be part of it.
 */
function tidy(svg: string): string {
  return svg
    .replaceAll(WORD_JOINER, '')
    .replace(/<style\s*>.*?<\/style>/gs, '')
    .replace(/<defs\s*>.*?<\/defs>|<\/?g(?: clip-path="url\(#zr\d+-c\d+\)")?>\n?/gs, '')
    .replace(/ ecmeta_\w+="[^"]*"/g, '')
    .replace(/ class="zr\d+-cls-\d+"/g, '')
    .replace(/ (?:pointer-events="visible"|xmlns:xlink="[^"]*"|baseProfile="full"|version="1\.1")/g, '')
    .replace(/<rect width="\d+" height="\d+" x="0" y="0" fill="none"><\/rect>\n?/, '')
    .replace(/="(-?\d+\.\d{3,})"/g, (_, number: string) => `="${Number(Number(number).toFixed(2))}"`)
    .replace(/\n+/g, '\n');
}
