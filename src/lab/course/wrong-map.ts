/** Where an output is wrong. */
import type { Covers, KernelOutput } from '../../kernels/index.js';

/** Which elements of an output are wrong, laid out as the output is, with the workgroup that each belongs to. */
export interface WrongMap {
  /** The output's name. */
  readonly output: string;
  readonly rows: number;
  readonly columns: number;
  /** Row by row: 1 where it is wrong. */
  readonly wrong: readonly number[];
  /** Row by row: the workgroup whose share it is. Where neighbours differ there is an edge. */
  readonly groups: readonly number[];
}

/** A vector is laid out in lines of so many elements. */
const LINE = 64;

/** The map of one output. `covers` and `unit` tell a workgroup's share. */
export function wrongMap(
  found: KernelOutput,
  expected: KernelOutput,
  tolerance: number,
  covers: Covers,
  unit: string,
): WrongMap {
  const { shape, values, name } = expected;
  const last = shape.at(-1) ?? 1;
  const isVector = values.length === last;
  const columns = isVector ? Math.min(LINE, last) : last;
  let scale = 1e-6;
  for (const value of values) if (Number.isFinite(value)) scale = Math.max(scale, Math.abs(value));
  const wrong = Array.from(values, (value, at) => {
    const own = found.values[at]!;
    return Object.is(own, value) || Math.abs(own - value) / scale <= tolerance ? 0 : 1;
  });
  const across = Math.ceil(last / (typeof covers === 'number' ? 1 : covers[1]));
  const groups = Array.from(values, (_, at) => {
    const [row, column] = [Math.floor(at / last), at % last];
    if (typeof covers !== 'number') return Math.floor(row / covers[0]) * across + Math.floor(column / covers[1]);
    return Math.floor((unit === 'row' && !isVector ? row : at) / covers);
  });
  return { output: name, rows: Math.ceil(values.length / columns), columns, wrong, groups };
}

/** Shown at most. */
const ROWS = 24;
const COLUMNS = 64;

/** The map in characters: `#` wrong, `.` right, lines between workgroups. Large ones are cut around the first wrong element. */
export function mapText({ output, rows, columns, wrong, groups }: WrongMap): string[] {
  const first = Math.max(0, wrong.indexOf(1));
  const start = (place: number, all: number, shown: number) =>
    Math.max(0, Math.min(place - Math.floor(shown / 2), all - shown));
  const top = start(Math.floor(first / columns), rows, ROWS);
  const left = start(first % columns, columns, COLUMNS);
  const [bottom, right] = [Math.min(rows, top + ROWS), Math.min(columns, left + COLUMNS)];
  const lines = [
    `${output}, rows ${top} to ${bottom - 1} of ${rows}, columns ${left} to ${right - 1} of ${columns}: # wrong, . right, lines between workgroups`,
  ];
  for (let row = top; row < bottom; row++) {
    let line = '';
    let edge = '';
    for (let column = left; column < right; column++) {
      const at = row * columns + column;
      if (at >= wrong.length) break;
      const above = row > top && groups[at] !== groups[at - columns];
      if (column > left) {
        const beside = groups[at] !== groups[at - 1];
        line += beside ? '|' : '';
        edge += beside ? '+' : '';
      }
      line += wrong[at] === 1 ? '#' : '.';
      edge += above ? '-' : ' ';
    }
    if (edge.includes('-')) lines.push(edge);
    lines.push(line);
  }
  return lines;
}
