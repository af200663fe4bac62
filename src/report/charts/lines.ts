/** Lines over epochs: loss, accuracy, learning rate. */
import type { LineSeriesOption } from 'echarts/charts';
import type { Drawing } from '../drawing.js';
import { SERIES, type SeriesColor } from '../series.js';
import { AXIS, COLOR, draw, textWidth } from '../svg.js';

export interface Line {
  readonly name: string;
  readonly color: SeriesColor;
  /** Pairs of x and y, by x. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Behind the others: what single steps scatter around. */
  readonly faint?: boolean;
  /** Constant up to the next point. */
  readonly stepped?: boolean;
  /** Hollow marks and other dashes: a second series of the same colour. */
  readonly hollow?: boolean;
  /** No marks: a level that others are held against. */
  readonly plain?: boolean;
}

/** Dashes of the second series of a colour. */
export const HOLLOW_DASHES = { first: [14, 3], second: [6, 2, 1, 2], third: [1, 2], muted: [4, 8] } as const;

export interface LineChart {
  readonly lines: readonly Line[];
  /** The end of the x axis, which begins at 0. */
  readonly end: number;
  readonly xName: string;
  readonly logarithmic?: boolean;
  readonly format: (y: number) => string;
}

const DASHES = {
  first: SERIES.first.dash,
  second: SERIES.second.dash,
  third: SERIES.third.dash,
  muted: SERIES.muted.dash,
} as const;

/** Three stand side by side on a wide page. */
const WIDTH = 320;
const HEIGHT = 210;
/** Of more points, about so many get a mark: all of them would run together. */
const MARKED_POINTS = 12;

export function lineChart({ lines, end, xName, logarithmic = false, format }: LineChart): Drawing {
  const widest = lines.flatMap(({ points }) => points).reduce((most, [, y]) => Math.max(most, textWidth(format(y))), 0);
  return draw(WIDTH, HEIGHT, {
    grid: { left: Math.max(36, widest + 14), right: 14, top: 10, bottom: 42, outerBoundsMode: 'none' },
    xAxis: {
      ...AXIS,
      type: 'value',
      min: 0,
      max: end,
      minInterval: 1,
      splitLine: { show: false },
      name: xName,
      nameLocation: 'middle',
      nameGap: 26,
    },
    yAxis: {
      ...AXIS,
      type: logarithmic ? 'log' : 'value',
      scale: true,
      axisLine: { show: false },
      splitNumber: 4,
      axisLabel: { ...AXIS.axisLabel, formatter: (y: number) => format(y) },
    },
    series: lines.map(lineSeries),
  });
}

function lineSeries({
  name,
  color,
  points,
  faint = false,
  stepped = false,
  hollow = false,
  plain = false,
}: Line): LineSeriesOption {
  const every = faint ? 1 : Math.ceil(points.length / MARKED_POINTS);
  return {
    type: 'line',
    name,
    silent: true,
    clip: false,
    z: faint ? 1 : 2,
    ...(stepped && { step: 'end' }),
    // A run has thousands of steps, and the chart has hundreds of pixels.
    sampling: 'lttb',
    data: points.map(([x, y], i) => (i % every === 0 ? [x, y] : { value: [x, y], symbol: 'none' })),
    symbol: SERIES[color].mark,
    symbolSize: 6,
    showSymbol: !faint && !plain,
    showAllSymbol: true,
    lineStyle: {
      color: COLOR[color],
      width: faint ? 1 : 2,
      opacity: faint ? 0.35 : 1,
      ...(!faint && { type: (hollow ? HOLLOW_DASHES : DASHES)[color] as 'solid' | number[] }),
    },
    itemStyle: hollow ? { color: COLOR.paper, borderColor: COLOR[color], borderWidth: 1.5 } : { color: COLOR[color] },
  };
}
