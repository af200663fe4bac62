/** Two shares of each class, joined by a line: accuracies before and after training, or votes and predictions. */
import type { CustomSeriesOption } from 'echarts/charts';
import { CHART_WIDTH, type Drawing } from '../drawing.js';
import { points, signedPoints } from '../format.js';
import { AXIS, COLOR, draw, FONT_SIZE, mark, niceStep, textWidth } from '../svg.js';

export interface Dumbbell {
  readonly label: string;
  /** Shares of 1: hollow mark, and filled mark. */
  readonly before: number;
  readonly after: number;
}

const ROW = 25;
const LONGEST_LABEL = 112;
const TOP = 4;
const BOTTOM = 42;
/** The difference is written here, right of the plot. */
const RIGHT = 46;

/** With `isFirstApart`, the first row is that of all images, and is set apart. */
export function dumbbellChart(rows: readonly Dumbbell[], { name = 'accuracy (%)', isFirstApart = true } = {}): Drawing {
  const all = rows.flatMap(({ before, after }) => [before, after]);
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const step = niceStep(most - least);
  const min = Math.floor(least / step) * step;
  const max = Math.max(Math.ceil(most / step) * step, min + step);
  const widest = Math.max(...rows.map(({ label }) => textWidth(label)));
  const left = Math.min(LONGEST_LABEL, widest) + 20;
  return draw(CHART_WIDTH, TOP + rows.length * ROW + BOTTOM, {
    grid: { left, right: RIGHT, top: TOP, bottom: BOTTOM, outerBoundsMode: 'none' },
    xAxis: {
      ...AXIS,
      type: 'value',
      min,
      max,
      interval: step,
      name,
      nameLocation: 'middle',
      nameGap: 26,
      axisLabel: { ...AXIS.axisLabel, formatter: (share: number) => points(share, 6).replace(/\.?0+$/, '') },
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
    series: [marks(rows, min, CHART_WIDTH - RIGHT, left, isFirstApart)],
  });
}

function marks(
  rows: readonly Dumbbell[],
  min: number,
  right: number,
  left: number,
  isFirstApart: boolean,
): CustomSeriesOption {
  return {
    type: 'custom',
    silent: true,
    clip: false,
    data: rows.map((_, row) => [min, row]),
    renderItem: (_params, api) => {
      const row = Number(api.value(1));
      const { before, after } = rows[row]!;
      const at = (share: number) => api.coord([share, row])[0]!;
      const y = api.coord([min, row])[1]!;
      const line = (x1: number, x2: number, at: number, stroke: string, lineWidth: number) => ({
        type: 'line' as const,
        shape: { x1, x2, y1: at, y2: at },
        style: { stroke, lineWidth },
      });
      const text = {
        text: signedPoints(after - before),
        x: right + RIGHT - 4,
        y,
        align: 'right',
        verticalAlign: 'middle',
        fill: row === 0 && isFirstApart ? COLOR.ink : COLOR.muted,
        fontSize: FONT_SIZE,
        fontFamily: 'inherit',
      } as const;
      return {
        type: 'group',
        children: [
          ...(row === 0 && isFirstApart ? [line(left, right, y + ROW / 2, COLOR.rule, 1)] : []),
          line(at(before), at(after), y, COLOR.muted, 2),
          mark('second', at(before), y, 5, { fill: COLOR.paper, stroke: COLOR.second, lineWidth: 2 }),
          mark('first', at(after), y, 5.5, { fill: COLOR.first }),
          { type: 'text', style: text },
        ],
      };
    },
  };
}
