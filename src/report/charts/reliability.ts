/**
 * Reliability diagram (Guo et al., 2017): predictions grouped by their probability, against the share of them that is right. On the
 * diagonal, a probability means what it says; below it the model is too sure of itself.
 */
import type { CustomSeriesOption } from 'echarts/charts';
import { CHART_WIDTH, type Drawing } from '../drawing.js';
import { whole } from '../format.js';
import { SERIES, type SeriesColor } from '../series.js';
import { AXIS, COLOR, draw, mark } from '../svg.js';

export interface ReliabilityGroup {
  readonly count: number;
  /** Mean probability of the predicted class. */
  readonly confidence: number;
  readonly accuracy: number;
}

export interface ReliabilitySeries {
  readonly color: SeriesColor;
  readonly groups: readonly ReliabilityGroup[];
}

/** In a group of fewer images, the share that is right says little: it is drawn grey, hollow, and off the line. */
export const SPARSE = 10;

const HEIGHT = 300;
/** The numbers of images below the plot of a single series: a bar for each group, with its number upright on it. */
const STRIP = 64;
const STRIP_GAP = 52;
const BOTTOM = 42;
/** Radii of the marks, from a single picture to all of them in one group: areas are as the numbers of pictures. */
const LEAST_RADIUS = 2.5;
const MOST_RADIUS = 13;
const LEFT = 62;
const RIGHT = 22;

/** Of a single series, the number of images of each group is shown too. */
export function reliabilityDiagram(series: readonly ReliabilitySeries[]): Drawing {
  const [only] = series;
  const counts = series.length === 1 && only ? only.groups : [];
  const axis = {
    ...AXIS,
    type: 'value',
    min: 0,
    max: 1,
    interval: 0.25,
    nameLocation: 'middle',
    axisLabel: { ...AXIS.axisLabel, formatter: (share: number) => `${100 * share} %` },
  } as const;
  const strip = counts.length > 0 ? STRIP + STRIP_GAP - BOTTOM + 6 : 0;
  const plot = { left: LEFT, right: RIGHT, outerBoundsMode: 'none' } as const;
  // Half as much again, so that the number on the highest bar has room.
  const most = 1.5 * Math.max(1, ...counts.map(({ count }) => count));
  const below = { xAxisIndex: 1, yAxisIndex: 1 };
  return draw(CHART_WIDTH, HEIGHT + strip, {
    grid: [
      { ...plot, top: 12, height: HEIGHT - 12 - BOTTOM },
      ...(strip > 0 ? [{ ...plot, top: HEIGHT - BOTTOM + STRIP_GAP, height: STRIP }] : []),
    ],
    xAxis: [
      { ...axis, name: 'probability of the prediction', nameGap: 26 },
      ...(strip > 0
        ? [{ ...axis, gridIndex: 1, axisLabel: { show: false }, splitLine: { show: false }, name: '' }]
        : []),
    ],
    yAxis: [
      { ...axis, name: 'share that is right', nameGap: 46 },
      ...(strip > 0
        ? [
            {
              ...{ type: 'value' as const, gridIndex: 1, min: 0, max: most, name: 'images' },
              ...{ nameLocation: 'middle' as const, nameGap: 46, nameTextStyle: AXIS.nameTextStyle },
              ...{ axisLabel: { show: false }, splitLine: { show: false } },
              ...{ axisLine: { show: false }, axisTick: { show: false } },
            },
          ]
        : []),
    ],
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
          data: groups.filter(({ count }) => count >= SPARSE).map(({ confidence, accuracy }) => [confidence, accuracy]),
          lineStyle: { color: COLOR[color], width: 1.5, type: SERIES[color].dash as 'solid' | number[] },
        },
        marks(color, groups),
      ]),
      ...(strip > 0 && only ? [{ ...bars(only.color, counts), ...below }] : []),
    ],
  });
}

function marks(color: SeriesColor, groups: readonly ReliabilityGroup[]): CustomSeriesOption {
  const total = groups.reduce((sum, { count }) => sum + count, 0);
  return {
    type: 'custom',
    silent: true,
    clip: false,
    data: groups.map(({ confidence, accuracy, count }) => [confidence, accuracy, count]),
    renderItem: (_params, api) => {
      const [x = 0, y = 0] = api.coord([api.value(0), api.value(1)]);
      const count = Number(api.value(2));
      const r = LEAST_RADIUS + (MOST_RADIUS - LEAST_RADIUS) * Math.sqrt(count / total);
      return mark(color, x, y, r, styleOf(color, count));
    },
  };
}

function styleOf(color: SeriesColor, count: number) {
  return count < SPARSE
    ? { fill: COLOR.paper, stroke: COLOR.muted, lineWidth: 1 }
    : { fill: COLOR[color], opacity: 0.75 };
}

/** Bars of the groups at their mean probabilities, as wide as a group of fifteen. */
function bars(color: SeriesColor, groups: readonly ReliabilityGroup[]): CustomSeriesOption {
  const width = (CHART_WIDTH - LEFT - RIGHT) / 15 - 3;
  return {
    type: 'custom',
    silent: true,
    clip: false,
    data: groups.map(({ confidence, count }) => [(Math.max(0, Math.ceil(confidence * 15) - 1) + 0.5) / 15, count]),
    renderItem: (_params, api) => {
      const count = Number(api.value(1));
      const [x = 0, y = 0] = api.coord([api.value(0), count]);
      const [, bottom = 0] = api.coord([0, 0]);
      const text = whole(count);
      return {
        type: 'group',
        children: [
          {
            type: 'rect',
            shape: { x: x - width / 2, y, width, height: Math.max(1, bottom - y) },
            style: styleOf(color, count),
          },
          {
            type: 'text',
            // Upright, since numbers of four digits are wider than a bar.
            ...{ x, y: y - 3, rotation: Math.PI / 2 },
            style: {
              text,
              align: 'left',
              verticalAlign: 'middle',
              fill: COLOR.muted,
              fontSize: 9,
              fontFamily: 'inherit',
            },
          },
        ],
      };
    },
  };
}
