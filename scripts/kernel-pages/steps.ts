/** Moments of a kernel's recorded run, side by side: an SVG that follows the reader's colour scheme. The page steps through the same runs. */
import { STEPPED, type Step, type StepTrace, traceSteps } from '../../src/lab/index.js';
import { type Grid, gridOfMatrix, gridOfMemory, Touches, touchedNow } from '../../web/page/lab/stepper/marks.js';
import { sentence } from '../../web/page/lab/stepper/words.js';
import { STYLE } from './chart.js';

const [WIDTH, PANEL, CELL, GAP] = [720, 236, 8, 10];
/** Of a panel, its caption with the two lines above the grids. */
const TOP = 52;
/** The watched lane: inside of the workgroup, so that none of its neighbours is missing. */
const LANE = 5;

const traces = new Map(await Promise.all(STEPPED.map(async (of) => [of.name, await traceSteps(of)] as const)));

/** A recorded run and some of its steps. */
export interface Moments {
  readonly trace: StepTrace;
  readonly at: readonly number[];
}

/** `name`: as the page lists it; `moments`: `store a_tile, barrier, load a_tile`, each the first of its kind after the one before. Throws Error if there is none. */
export function momentsOf(name: string, moments: string): Moments {
  const trace = traces.get(name);
  if (!trace) throw new Error(`steps: expected one of ${[...traces.keys()].join('; ')}, found ${name}`);
  const at: number[] = [];
  for (const moment of moments.split(', ')) {
    const [kind, buffer = ''] = moment.split(' ');
    const from = (at.at(-1) ?? -1) + 1;
    const found = trace.steps.findIndex((step, i) => i >= from && step.kind === kind && step.name === buffer);
    if (found < 0) throw new Error(`steps: ${name} has no ${moment} from step ${from + 1} on`);
    at.push(found);
  }
  return { trace, at };
}

/** Where the strip lies, below docs/. */
export function stripPath(name: string): string {
  return `images/steps/${name.replaceAll(/\W+/g, '-')}.svg`;
}

/** The strip in words. */
export function stripText({ trace, at }: Moments): string {
  const each = at.map((step) => `Step ${step + 1}: ${sentence(trace, trace.steps[step]!, LANE)}`);
  return `${trace.of.name}, ${trace.steps.length} steps of a workgroup of ${trace.lanes} lanes. ${each.join(' ')}`;
}

export function strip(moments: Moments): string {
  const { trace, at } = moments;
  const touches = new Touches(trace, LANE);
  const places = placesOf(trace);
  const height = TOP + Math.max(...places.map(({ y, grid }) => y + grid.rows * CELL)) + 42;
  const legend = [
    [`<rect x="0" y="-10" width="10" height="10" class="load"/>`, 'loaded now'],
    [`<circle cx="5" cy="-5" r="5" class="store"/>`, 'stored now'],
    [`<rect x="0" y="-10" width="10" height="10" class="mine"/>`, `by lane ${LANE}`],
    [`<rect x="3" y="-7" width="4" height="4" class="seen"/>`, 'before'],
  ].map(([mark, text], i) => {
    return `<g transform="translate(${16 + 110 * i} ${height - 14})">${mark}<text x="16" y="0" class="s">${text}</text></g>`;
  });
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title description" font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif">`,
    `<title id="title">${trace.of.name}: ${at.length} moments</title>`,
    `<desc id="description">${escaped(stripText(moments))}</desc>`,
    STYLE.replace(
      '</style>',
      [
        '.load{fill:var(--bar)}.store{fill:var(--store)}.seen{fill:var(--bar);fill-opacity:.5}.mine{fill:none;stroke:var(--ink);stroke-width:2}',
        '.c{font:9px ui-monospace,Menlo,Consolas,monospace;fill:var(--soft)}.n{font-size:10px;fill:var(--soft)}',
        ':root{--store:#b4450f}@media (prefers-color-scheme:dark){:root{--store:#ff9b5e}}',
        '</style>',
      ].join('\n'),
    ),
    `<rect class="page" width="${WIDTH}" height="${height}" rx="8"/>`,
    ...at.flatMap((step, i) => panel(trace, step, touches, places, 14 + PANEL * i)),
    ...legend,
    '</svg>',
  ].join('\n')}\n`;
}

interface Place {
  readonly grid: Grid;
  readonly x: number;
  readonly y: number;
}

/** The operands of a product lie beside and above its result; other matrices in rows. Workgroup memory is below. */
function placesOf({ of: { kernel, matrices, memories } }: StepTrace): Place[] {
  const places: Place[] = [];
  let y = 0;
  const row = (grids: readonly Grid[]) => {
    let x = 0;
    let below = y;
    for (const grid of grids) {
      if (x > 0 && x + grid.columns * CELL > PANEL - 20) {
        x = 0;
        y = below;
      }
      places.push({ grid, x, y });
      x += Math.max(grid.columns * CELL, 7 * grid.title.length) + GAP;
      below = Math.max(below, y + grid.rows * CELL + 2 * GAP);
    }
    y = below;
  };
  if (kernel === 'matmul') {
    const [a, b, out] = matrices.map(gridOfMatrix) as [Grid, Grid, Grid];
    const [x, below] = [a.columns * CELL + GAP, b.rows * CELL + 2 * GAP];
    places.push({ grid: b, x, y: 0 }, { grid: a, x: 0, y: below }, { grid: out, x, y: below });
    y = below + a.rows * CELL + 2 * GAP;
  } else row(matrices.filter(({ columns }) => columns > 4).map(gridOfMatrix));
  row(memories.map(gridOfMemory));
  return places;
}

function panel(trace: StepTrace, at: number, touches: Touches, places: readonly Place[], left: number): string[] {
  const step = trace.steps[at]!;
  const line = trace.text.split('\n')[step.lines[0]! - 1]!.trim();
  return [
    `<text x="${left}" y="20" class="s">${at + 1}. ${headOf(step, trace)}</text>`,
    `<text x="${left}" y="34" class="c">${escaped(line.length > 40 ? `${line.slice(0, 39)}…` : line)}</text>`,
    ...places.flatMap(({ grid, x, y }) => [
      `<g transform="translate(${left + x} ${TOP + y})">`,
      `<text x="0" y="-3" class="n">${grid.title}</text>`,
      ...cells(grid, step, at, touches),
      '</g>',
    ]),
  ];
}

function headOf({ kind, name, cycles, space }: Step, { lanes, of }: StepTrace): string {
  const title = of.matrices.find(({ buffer }) => buffer === name)?.title ?? name;
  if (kind === 'barrier') return `barrier: ${lanes} lanes wait`;
  if (kind === 'sum') return `sums in registers: ${title}`;
  const cost = space === 'workgroup' ? `, ${cycles === 1 ? '1 cycle' : `${cycles} cycles`}` : '';
  return `${kind === 'load' ? 'loads from' : 'stores to'} ${title}${cost}`;
}

function cells(grid: Grid, step: Step, at: number, touches: Touches): string[] {
  const { rows, columns } = grid;
  const now = touchedNow(step, grid, LANE);
  const [width, height] = [columns * CELL, rows * CELL];
  const lines = [
    ...Array.from({ length: rows + 1 }, (_, row) => `M0 ${row * CELL}H${width}`),
    ...Array.from({ length: columns + 1 }, (_, column) => `M${column * CELL} 0V${height}`),
  ];
  // Those of a kind are one path: a strip has more than a thousand cells.
  const marks: Record<'seen' | 'load' | 'store' | 'mine', string> = { seen: '', load: '', store: '', mine: '' };
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const word = grid.at(row, column);
      const [x, y] = [column * CELL, row * CELL];
      const touched = now.get(word);
      if (!touched) {
        if (touches.seen(grid.name, word, at)) marks.seen += square(x + 2, y + 2, CELL - 4);
        continue;
      }
      if (step.kind === 'load') marks.load += square(x + 1, y + 1, CELL - 2);
      else marks.store += `M${x + 1} ${y + CELL / 2}a3 3 0 1 0 6 0a3 3 0 1 0 -6 0z`;
      if (touched === 'own') marks.mine += square(x, y, CELL);
    }
  }
  const paths = Object.entries(marks).filter(([, path]) => path !== '');
  return [
    `<path class="tick" d="${lines.join('')}"/>`,
    ...paths.map(([name, path]) => `<path class="${name}" d="${path}"/>`),
  ];
}

function square(x: number, y: number, side: number): string {
  return `M${x} ${y}h${side}v${side}h${-side}z`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
