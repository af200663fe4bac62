/**
 * Reliability diagram (Guo et al., 2017): predictions grouped by their probability, against the share of them that is right. On the
 * diagonal, a probability means what it says; below it the model is too sure of itself.
 */
import type { CustomSeriesOption } from 'echarts/charts';
import { CHART_WIDTH, type Drawing } from '../drawing.js';
import { AXIS, COLOR, draw } from '../svg.js';

export interface ReliabilityGroup {
  readonly count: number;
  /** Mean probability of the predicted class. */
  readonly confidence: number;
  readonly accuracy: number;
}

export interface ReliabilitySeries {
  readonly color: 'first' | 'second' | 'third' | 'muted';
  readonly groups: readonly ReliabilityGroup[];
}

const HEIGHT = 300;
/** Radii of the marks, from a single picture to all of them in one group: areas are as the numbers of pictures. */
const LEAST_RADIUS = 2;
const MOST_RADIUS = 13;

export function reliabilityDiagram(series: readonly ReliabilitySeries[]): Drawing {
  const axis = {
    ...AXIS,
    type: 'value',
    min: 0,
    max: 1,
    interval: 0.25,
    nameLocation: 'middle',
    axisLabel: { ...AXIS.axisLabel, formatter: (share: number) => `${100 * share} %` },
  } as const;
  return draw(CHART_WIDTH, HEIGHT, {
    grid: { left: 62, right: 22, top: 12, bottom: 42, outerBoundsMode: 'none' },
    xAxis: { ...axis, name: 'probability of the prediction', nameGap: 26 },
    yAxis: { ...axis, name: 'share that is right', nameGap: 46 },
    series: [
      {
        type: 'line',
        silent: true,
        clip: false,
        symbol: 'none',
        data: [
          [0, 0],
          [1, 1],
        ],
        lineStyle: { color: COLOR.muted, width: 1, type: 'dashed' },
      },
      ...series.flatMap(({ color, groups }) => [
        {
          type: 'line' as const,
          silent: true,
          clip: false,
          symbol: 'none',
          data: groups.map(({ confidence, accuracy }) => [confidence, accuracy]),
          lineStyle: { color: COLOR[color], width: 1.5 },
        },
        marks(COLOR[color], groups),
      ]),
    ],
  });
}

function marks(color: string, groups: readonly ReliabilityGroup[]): CustomSeriesOption {
  const total = groups.reduce((sum, { count }) => sum + count, 0);
  return {
    type: 'custom',
    silent: true,
    clip: false,
    data: groups.map(({ confidence, accuracy, count }) => [confidence, accuracy, count]),
    renderItem: (_params, api) => {
      const [cx = 0, cy = 0] = api.coord([api.value(0), api.value(1)]);
      const r = LEAST_RADIUS + (MOST_RADIUS - LEAST_RADIUS) * Math.sqrt(Number(api.value(2)) / total);
      return { type: 'circle', shape: { cx, cy, r }, style: { fill: color, opacity: 0.75 } };
    },
  };
}
