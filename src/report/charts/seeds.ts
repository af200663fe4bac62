/** The accuracies of seeds, a row for each variant: every seed a dot, their mean, its interval for new images, and the paper's figure. */
import type { CustomSeriesOption } from 'echarts/charts';
import { CHART_WIDTH, type Drawing } from '../drawing.js';
import { AXIS, COLOR, draw, mark, niceStep, textWidth } from '../svg.js';

export interface SeedRow {
  readonly label: string;
  /** Shares of 1. */
  readonly values: readonly number[];
  /** Null if there is no value. */
  readonly mean: number | null;
  /** 95 % interval of the accuracy on new images; null if there is none. */
  readonly interval: readonly [low: number, high: number] | null;
  readonly paper: number | null;
}

const ROW = 34;
const LONGEST_LABEL = 120;
const BOTTOM = 42;
const TOP = 6;

/** Undefined if there is nothing to draw. */
export function seedChart(rows: readonly SeedRow[]): Drawing | undefined {
  const drawn = rows.flatMap(({ values, interval, paper }) => [
    ...values,
    ...(interval ?? []),
    ...(paper ? [paper] : []),
  ]);
  if (drawn.length === 0) return undefined;
  const step = niceStep(Math.max(...drawn) - Math.min(...drawn));
  const min = Math.floor(Math.min(...drawn) / step) * step;
  const max = Math.ceil(Math.max(...drawn) / step) * step;
  const widest = Math.max(...rows.map(({ label }) => textWidth(label)));
  const left = Math.min(LONGEST_LABEL, widest) + 20;
  return draw(CHART_WIDTH, TOP + rows.length * ROW + BOTTOM, {
    grid: { left, right: 16, top: TOP, bottom: BOTTOM, outerBoundsMode: 'none' },
    xAxis: {
      ...AXIS,
      type: 'value',
      min,
      max,
      interval: step,
      name: 'accuracy (%)',
      nameLocation: 'middle',
      nameGap: 26,
      axisLabel: { ...AXIS.axisLabel, formatter: (share: number) => `${Number((100 * share).toFixed(6))}` },
    },
    yAxis: {
      ...AXIS,
      type: 'category',
      inverse: true,
      data: rows.map(({ label }) => label),
      axisLabel: {
        ...AXIS.axisLabel,
        interval: 0,
        hideOverlap: false,
        width: LONGEST_LABEL - 20,
        overflow: 'truncate',
      },
    },
    series: [marks(rows, min, max)],
  });
}

function marks(rows: readonly SeedRow[], min: number, max: number): CustomSeriesOption {
  return {
    type: 'custom',
    silent: true,
    clip: false,
    data: rows.map((_, row) => [min, row]),
    renderItem: (_params, api) => {
      const row = Number(api.value(1));
      const { values, mean, interval, paper } = rows[row]!;
      const at = (share: number) => api.coord([Math.min(max, Math.max(min, share)), row]);
      const y = at(min)[1]!;
      const line = (from: number, to: number, lift: number, width: number, opacity: number) => ({
        type: 'line' as const,
        shape: { x1: at(from)[0]!, y1: y - lift, x2: at(to)[0]!, y2: y + lift },
        style: { stroke: COLOR.first, lineWidth: width, opacity },
      });
      const dot = (value: number) => ({
        type: 'circle' as const,
        shape: { cx: at(value)[0]!, cy: y, r: 3.5 },
        style: { fill: COLOR.first, opacity: 0.55 },
      });
      return {
        type: 'group',
        children: [
          ...(interval ? [line(...interval, 0, 7, 0.22)] : []),
          ...values.map(dot),
          ...(mean === null ? [] : [line(mean, mean, 8, 2, 1)]),
          ...(paper === null
            ? []
            : [mark('muted', at(paper)[0]!, y, 5, { fill: COLOR.paper, stroke: COLOR.second, lineWidth: 2 })]),
        ],
      };
    },
  };
}
