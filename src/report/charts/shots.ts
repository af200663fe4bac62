/** Accuracy against the number of training images per class: a line for each learner, named at its end. */
import type { CustomSeriesOption } from 'echarts/charts';
import type { Drawing } from '../drawing.js';
import { AXIS, COLOR, draw, FONT_SIZE, guarded, niceStep, textWidth } from '../svg.js';

export interface ShotsLine {
  readonly label: string;
  /** Of each number of shots, in the order of the chart's; null if there is none. Shares of 1. */
  readonly means: readonly (number | null)[];
  readonly intervals: readonly (readonly [low: number, high: number] | null)[];
  /** Learns nothing: a level across the chart, the mean of what is known. */
  readonly isLevel: boolean;
}

/** Lines whose intervals can be told apart; of more, none is drawn. */
export const MOST_INTERVALS = 6;

const WIDTH = 760;
const LEFT = 46;
const TOP = 8;
const BOTTOM = 44;
/** Of a label at the end of a line, and the room before it for a line that leads to it. */
const LABEL_HEIGHT = 15;
const LEAD = 26;
const LONGEST_LABEL = 28;
/** Lines stand beside one another where they would lie on one another. */
const DODGE = 3;

/**
 * `shots` ascending, null (all images) last. Undefined if there is nothing to draw. Lines differ by the form of their marks, filled in the first
 * round and hollow with dashes in the second, and by colour.
 */
export function shotsChart(lines: readonly ShotsLine[], shots: readonly (number | null)[]): Drawing | undefined {
  const drawn = lines.filter(({ means }) => means.some((mean) => mean !== null));
  const learned = drawn.filter(({ isLevel }) => !isLevel);
  const withIntervals = learned.length <= MOST_INTERVALS;
  const all = drawn.flatMap(({ means, intervals, isLevel }) => [
    ...means.filter((mean) => mean !== null),
    ...(withIntervals && !isLevel ? intervals.flatMap((interval) => interval ?? []) : []),
  ]);
  if (all.length === 0) return undefined;
  const step = niceStep(Math.max(...all) - Math.min(...all));
  const min = Math.floor(Math.min(...all) / step) * step;
  const max = Math.max(Math.ceil(Math.max(...all) / step) * step, min + step);
  const right = LEAD + 16 + 1.08 * Math.max(...drawn.map(({ label }) => textWidth(shorten(label))));
  const height = Math.max(320, TOP + BOTTOM + drawn.length * LABEL_HEIGHT);
  const positions = positionsOf(shots);
  return draw(WIDTH, height, {
    grid: { left: LEFT, right, top: TOP, bottom: BOTTOM, outerBoundsMode: 'none' },
    xAxis: {
      ...AXIS,
      type: 'value',
      min: positions[0]! - 0.3,
      max: positions.at(-1)! + 0.3,
      axisLabel: { show: false },
      splitLine: { show: false },
      name: 'training images per class',
      nameLocation: 'middle',
      nameGap: 28,
    },
    yAxis: {
      ...AXIS,
      type: 'value',
      ...{ min, max, interval: step, axisLine: { show: false } },
      axisLabel: { ...AXIS.axisLabel, formatter: (share: number) => `${Number((100 * share).toFixed(6))} %` },
    },
    series: [
      {
        type: 'custom',
        silent: true,
        clip: false,
        data: [[positions[0]!, min]],
        renderItem: (_params, api) => {
          const at = (position: number, share: number) => api.coord([position, share]) as [number, number];
          const frame = { right: WIDTH - right, top: TOP, bottom: height - BOTTOM };
          const placed = placeLines(drawn, positions, at);
          return {
            type: 'group',
            children: [
              ...ticks(shots, positions, at, frame.bottom),
              ...placed.flatMap((line) => [
                ...(withIntervals && line.style ? whiskers(line, at) : []),
                ...stroke(line, frame.right),
              ]),
              ...endLabels(placed, frame),
            ],
          };
        },
      },
    ],
  });
}

type Child = Extract<
  NonNullable<ReturnType<NonNullable<CustomSeriesOption['renderItem']>>>,
  { type: 'group' }
>['children'][number];
type Point = readonly [x: number, y: number];

interface Placed {
  readonly line: ShotsLine;
  /** Null for a level. */
  readonly style: LineStyle | null;
  /** On the page; null where there is no value. */
  readonly points: readonly (Point | null)[];
  readonly end: Point;
}

/** Powers of two apart by 1; all images stand one further than the most. */
function positionsOf(shots: readonly (number | null)[]): number[] {
  const known = shots.filter((k) => k !== null);
  const last = known.length === 0 ? 0 : Math.log2(Math.max(...known)) + 1;
  return shots.map((k) => (k === null ? last : Math.log2(k)));
}

function placeLines(
  lines: readonly ShotsLine[],
  positions: readonly number[],
  at: (position: number, share: number) => [number, number],
): Placed[] {
  const learned = lines.filter(({ isLevel }) => !isLevel).length;
  let place = 0;
  return lines.map((line) => {
    const means = line.means.filter((mean) => mean !== null);
    const level = means.reduce((sum, mean) => sum + mean, 0) / means.length;
    const offset = line.isLevel ? 0 : DODGE * (place - (learned - 1) / 2);
    const points = positions.map((position, i): Point | null => {
      const mean = line.isLevel ? level : line.means[i];
      if (mean === null || mean === undefined) return null;
      const [x, y] = at(position, mean);
      return [x + (learned > MOST_INTERVALS ? offset / 3 : offset), y];
    });
    const end = points.filter((point) => point !== null).at(-1)!;
    return { line, style: line.isLevel ? null : lineStyle(place++), points, end };
  });
}

function ticks(
  shots: readonly (number | null)[],
  positions: readonly number[],
  at: (position: number, share: number) => [number, number],
  bottom: number,
): Child[] {
  let last = Number.NEGATIVE_INFINITY;
  return positions.flatMap((position, i) => {
    const [x] = at(position, 0);
    const text = shots[i] === null ? 'all' : String(shots[i]);
    const rule: Child = line([x, bottom], [x, bottom + 4], RULE);
    if (x - last < textWidth(text) + 8) return [rule];
    last = x;
    return [rule, word(text, x, bottom + 13, 'center', COLOR.muted)];
  });
}

function whiskers(
  { line: { intervals }, points, style }: Placed,
  at: (position: number, share: number) => [number, number],
): Child[] {
  return points.flatMap((point, i) => {
    const interval = intervals[i];
    if (!point || !interval) return [];
    const [low, high] = interval.map((share) => at(0, share)[1]) as [number, number];
    return [line([point[0], low], [point[0], high], { stroke: style!.color, lineWidth: 1.5, opacity: 0.45 })];
  });
}

function stroke({ points, style, end }: Placed, right: number): Child[] {
  if (style === null) return [line([LEFT, end[1]], [right, end[1]], LEVEL)];
  const children: Child[] = [];
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1], points[i]];
    if (!a || !b) continue;
    children.push(line(a, b, { stroke: style.color, lineWidth: 1.75, lineDash: style.dash }));
  }
  return [...children, ...points.flatMap((point) => (point ? [symbol(style, point)] : []))];
}

/** At the right, from top to bottom as the lines end, and apart from one another. */
function endLabels(
  placed: readonly Placed[],
  { right, top, bottom }: { right: number; top: number; bottom: number },
): Child[] {
  const sorted = [...placed].sort((a, b) => a.end[1] - b.end[1]);
  const heights = spreadApart(
    sorted.map(({ end }) => end[1]),
    LABEL_HEIGHT,
    top + 4,
    bottom - 4,
  );
  return sorted.flatMap(({ line: { label }, style, end }, i): Child[] => {
    const y = heights[i]!;
    const from: Point = style ? [end[0] + 6, end[1]] : [right, end[1]];
    const lead = line(from, [right + LEAD - 4, y], RULE);
    return [
      lead,
      style ? symbol(style, [right + LEAD + 3, y]) : line([right + LEAD - 3, y], [right + LEAD + 9, y], LEVEL),
      word(shorten(label), right + LEAD + 13, y, 'left', COLOR.ink),
    ];
  });
}

/** The nearest places to `wanted` (ascending) that are at least `gap` apart, between `low` and `high` if there is room. */
export function spreadApart(wanted: readonly number[], gap: number, low: number, high: number): number[] {
  // Neighbours that are too close become a group around the mean of where they would be.
  const groups: { count: number; middle: number }[] = [];
  const bounded = ({ count, middle }: { count: number; middle: number }) => {
    const half = ((count - 1) * gap) / 2;
    return { count, middle: Math.max(low + half, Math.min(high - half, middle)) };
  };
  for (const place of wanted) {
    let group = bounded({ count: 1, middle: place });
    for (let last = groups.at(-1); last !== undefined; last = groups.at(-1)) {
      const apart = ((last.count + group.count) * gap) / 2;
      if (group.middle - last.middle >= apart) break;
      groups.pop();
      const count = last.count + group.count;
      group = bounded({ count, middle: (last.count * last.middle + group.count * group.middle) / count });
    }
    groups.push(group);
  }
  return groups.flatMap(({ count, middle }) =>
    Array.from({ length: count }, (_, i) => middle + (i - (count - 1) / 2) * gap),
  );
}

interface Stroke {
  stroke: string;
  lineWidth: number;
  lineDash?: number[];
  opacity?: number;
}

const RULE: Stroke = { stroke: COLOR.rule, lineWidth: 1 };
const LEVEL: Stroke = { stroke: COLOR.ink, lineWidth: 1, lineDash: [1, 3] };

function line(from: Point, to: Point, style: Stroke): Child {
  return { type: 'line', shape: { x1: from[0], y1: from[1], x2: to[0], y2: to[1] }, style };
}

function word(text: string, x: number, y: number, align: 'left' | 'center', fill: string): Child {
  const style = {
    text: guarded(text),
    x,
    y,
    align,
    verticalAlign: 'middle',
    fill,
    fontSize: FONT_SIZE,
    fontFamily: 'inherit',
  } as const;
  return { type: 'text', style };
}

function shorten(label: string): string {
  const characters = [...label.replace(/\s+/g, ' ')];
  return characters.length > LONGEST_LABEL
    ? `${characters.slice(0, LONGEST_LABEL - 1).join('')}…`
    : characters.join('');
}

/** How a line is told apart from the others. */
interface LineStyle {
  readonly color: string;
  readonly dash: number[];
  readonly form: (typeof FORMS)[number];
  readonly hollow: boolean;
}

const FORMS = ['circle', 'square', 'up', 'diamond', 'down', 'plus', 'cross'] as const;
const DASHES = [[], [6, 3], [2, 2]] as const;

function lineStyle(place: number): LineStyle {
  const [form, round] = [place % FORMS.length, Math.floor(place / FORMS.length)];
  return {
    color: `var(--line-${form + 1})`,
    dash: [...DASHES[round % DASHES.length]!],
    form: FORMS[form]!,
    hollow: round % 2 === 1,
  };
}

const R = 4.2;
/** Corners around 0, for a circle of the radius 1. */
const CORNERS: Record<Exclude<LineStyle['form'], 'circle'>, readonly Point[]> = {
  square: [
    [-0.9, -0.9],
    [0.9, -0.9],
    [0.9, 0.9],
    [-0.9, 0.9],
  ],
  up: [
    [0, -1.3],
    [1.2, 0.8],
    [-1.2, 0.8],
  ],
  down: [
    [0, 1.3],
    [1.2, -0.8],
    [-1.2, -0.8],
  ],
  diamond: [
    [0, -1.35],
    [1.1, 0],
    [0, 1.35],
    [-1.1, 0],
  ],
  plus: plusCorners(0),
  cross: plusCorners(Math.PI / 4),
};

function plusCorners(angle: number): Point[] {
  const [arm, half] = [1.3, 0.42];
  const corners: Point[] = [
    [-half, -arm],
    [half, -arm],
    [half, -half],
    [arm, -half],
    [arm, half],
    [half, half],
    [half, arm],
    [-half, arm],
    [-half, half],
    [-arm, half],
    [-arm, -half],
    [-half, -half],
  ];
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return corners.map(([x, y]) => [c * x - s * y, s * x + c * y]);
}

function symbol({ form, hollow, color }: LineStyle, [x, y]: Point): Child {
  const style = hollow ? { fill: COLOR.paper, stroke: color, lineWidth: 1.5 } : { fill: color };
  if (form === 'circle') return { type: 'circle', shape: { cx: x, cy: y, r: R }, style };
  return { type: 'polygon', shape: { points: CORNERS[form].map(([dx, dy]) => [x + R * dx, y + R * dy]) }, style };
}
