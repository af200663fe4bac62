/**
 * Charts as SVG text, drawn by ECharts without a browser (Apache ECharts, server-side rendering). Only the parts that are used are
 * imported. Colours are the custom properties of the page's style sheet, so one drawing serves light and dark.
 */
import { CustomChart, type CustomSeriesOption, LineChart, type LineSeriesOption } from 'echarts/charts';
import { GridComponent, type GridComponentOption } from 'echarts/components';
import { type ComposeOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { Drawing } from './drawing.js';

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
 * writes into the prototype of all objects.
 */
function guarded<T>(option: T): T {
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
