/** A matrix as shaded cells with their figures: confusion matrices, and the weights of an image. */
import type { CustomSeriesOption } from 'echarts/charts';
import { CHART_WIDTH, type Drawing, STRONG_SHADE } from '../drawing.js';
import { AXIS, draw, FONT_SIZE, textWidth } from '../svg.js';

export interface HeatMap {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly rowName: string;
  readonly columnName: string;
  /** shades[row][column] from -1 to 1; below 0 is another hue, 0 no colour. */
  readonly shades: readonly (readonly number[])[];
  /** texts[row][column], left out if the cells are too small. */
  readonly texts: readonly (readonly string[])[];
  /** Least width of a cell with its text. */
  readonly leastWidth?: number;
}

const CELL_HEIGHT = 30;
/** Cells narrower than these lose their figures, and then shrink no further: the map becomes wider and scrolls. */
const LEAST_WITH_TEXT = 24;
const LEAST = 9;
/** More columns than this are drawn as small cells without figures. */
const MOST_WITH_TEXT = 24;
const LONGEST_LABEL = 104;
const NAME = 18;
const CHARACTERS = 15;

export function heatMap({
  rows,
  columns,
  rowName,
  columnName,
  shades,
  texts,
  leastWidth = LEAST_WITH_TEXT,
}: HeatMap): Drawing {
  const small = columns.length > MOST_WITH_TEXT;
  const rowLabels = rows.map(shorten);
  const columnLabels = columns.map(shorten);
  const left = NAME + longest(rowLabels) + 14;
  const cell = Math.max(small ? LEAST : leastWidth, (CHART_WIDTH - left - 4) / columns.length);
  // A name along few rows needs as much room as it is long.
  const height = Math.max(small ? cell : CELL_HEIGHT, (textWidth(rowName) + 4) / rows.length);
  const fits = columnLabels.every((label) => textWidth(label) <= cell - 4);
  const bottom = NAME + 12 + (fits ? FONT_SIZE : longest(columnLabels));
  const grid = { left, top: 2, width: cell * columns.length, height: height * rows.length };
  const named = {
    ...AXIS,
    type: 'category',
    axisLine: { show: false },
    nameLocation: 'middle',
    nameMoveOverlap: false,
  } as const;
  const label = { ...AXIS.axisLabel, interval: 0, hideOverlap: false };
  return draw(Math.round(left + grid.width + 4), Math.round(grid.top + grid.height + bottom), {
    grid: { ...grid, outerBoundsMode: 'none' },
    xAxis: {
      ...named,
      data: columnLabels,
      name: columnName,
      nameGap: bottom - NAME,
      axisLabel: { ...label, rotate: fits ? 0 : 90 },
    },
    yAxis: { ...named, data: rowLabels, inverse: true, name: rowName, nameGap: left - NAME, axisLabel: label },
    series: [cells(rows.length, columns.length, cell, height, shades, small ? undefined : texts)],
  });
}

function cells(
  rows: number,
  columns: number,
  width: number,
  height: number,
  shades: HeatMap['shades'],
  texts: HeatMap['texts'] | undefined,
): CustomSeriesOption {
  const gap = texts ? 1 : 0.5;
  return {
    type: 'custom',
    silent: true,
    clip: false,
    data: Array.from({ length: rows * columns }, (_, i) => [i % columns, Math.floor(i / columns)]),
    renderItem: (_params, api) => {
      const [column, row] = [Number(api.value(0)), Number(api.value(1))];
      const [x = 0, y = 0] = api.coord([column, row]);
      const shade = shades[row]?.[column] ?? 0;
      const strength = Math.min(1, Math.abs(shade));
      const text = texts?.[row]?.[column];
      const rect = {
        type: 'rect',
        shape: { x: x - width / 2 + gap, y: y - height / 2 + gap, width: width - 2 * gap, height: height - 2 * gap },
        style: { fill: shade < 0 ? 'var(--heat-below)' : 'var(--heat)', opacity: Number(strength.toFixed(3)) },
      } as const;
      if (text === undefined) return rect;
      const fill = strength >= STRONG_SHADE ? 'var(--heat-strong-ink)' : 'var(--heat-ink)';
      const style = {
        text,
        x,
        y,
        align: 'center',
        verticalAlign: 'middle',
        fill,
        fontSize: FONT_SIZE,
        fontFamily: 'inherit',
      } as const;
      return { type: 'group', children: [rect, { type: 'text', style }] };
    },
  };
}

function longest(labels: readonly string[]): number {
  return Math.min(LONGEST_LABEL, Math.max(0, ...labels.map((label) => textWidth(label))));
}

function shorten(label: string): string {
  const characters = [...label.replace(/\s+/g, ' ')];
  return characters.length > CHARACTERS ? `${characters.slice(0, CHARACTERS - 1).join('')}…` : characters.join('');
}
