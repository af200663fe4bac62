/** Matrices, workgroup memory and lanes as grids whose cells are marked: by shape and outline as well as by colour. */
import type { JSX } from 'preact';
import type { Step, StepTrace } from '../../../../src/lab/index.js';
import { type Grid, gridOfMatrix, gridOfMemory, type Touches, touchedNow, wordsOf } from './marks.js';

const CELL = 14;
const LANE = 24;

export interface PicturesProps {
  readonly trace: StepTrace;
  readonly at: number;
  readonly lane: number;
  readonly touches: Touches;
  readonly onLane: (lane: number) => void;
  /** A cell of the result. */
  readonly onCell: (row: number, column: number) => void;
}

export function Pictures(props: PicturesProps) {
  const { trace } = props;
  const { matrices, memories } = trace.of;
  const isProduct = trace.of.kernel === 'matmul';
  return (
    <>
      <div class={isProduct ? 'step-product' : 'step-matrices'}>
        <Lanes {...props} />
        {matrices.map((matrix) => (
          <Cells key={matrix.buffer} grid={gridOfMatrix(matrix)} {...props} />
        ))}
      </div>
      {memories.length > 0 && (
        <div class="step-matrices">
          {memories.map((memory) => (
            <Cells key={memory.name} grid={gridOfMemory(memory)} {...props} />
          ))}
        </div>
      )}
    </>
  );
}

const NONE: ReadonlySet<number> = new Set();

interface CellsProps extends PicturesProps {
  readonly grid: Grid;
}

function Cells({ grid, trace, at, lane, touches, onCell }: CellsProps) {
  const { name, title, rows, columns } = grid;
  const step = trace.steps[at]!;
  const now = touchedNow(step, grid, lane);
  const isResult = name === 'out';
  const own = isResult ? wordsOf(trace, name, lane) : NONE;
  const marks: JSX.Element[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const word = grid.at(row, column);
      const [x, y] = [column * CELL, row * CELL];
      const touched = now.get(word);
      const seen = touches.seen(name, word, at);
      if (touched) marks.push(<Now key={word} kind={step.kind} own={touched === 'own'} x={x} y={y} />);
      else if (seen)
        marks.push(<rect key={word} class={`seen ${seen}`} x={x + 4} y={y + 4} width={CELL - 8} height={CELL - 8} />);
      else if (own.has(word))
        marks.push(<path key={word} class="due" d={`M${x + 4} ${y + 4}l6 6M${x + 10} ${y + 4}l-6 6`} />);
    }
  }
  const onClick = (event: JSX.TargetedMouseEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const of = (part: number, count: number) => Math.min(count - 1, Math.max(0, Math.floor(part * count)));
    onCell(of((event.clientY - box.top) / box.height, rows), of((event.clientX - box.left) / box.width, columns));
  };
  return (
    <figure class={`step-grid grid-${name}`}>
      <figcaption>
        {title} <span>{`[${rows}, ${columns}]`}</span>
      </figcaption>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the menus above are what a keyboard uses */}
      <svg
        role="img"
        aria-label={`${title}: ${now.size} of ${rows * columns} touched in this step`}
        class={isResult ? 'choosable' : undefined}
        width={columns * CELL + 2}
        height={rows * CELL + 2}
        viewBox={`-1 -1 ${columns * CELL + 2} ${rows * CELL + 2}`}
        onClick={isResult ? onClick : undefined}
      >
        <path class="lines" d={linesOf(rows, columns, CELL)} />
        {marks}
        {isResult && <Tile trace={trace} rows={rows} columns={columns} />}
      </svg>
    </figure>
  );
}

interface NowProps {
  readonly kind: Step['kind'];
  readonly own: boolean;
  readonly x: number;
  readonly y: number;
}

/** A cell that is loaded is a square, one that is stored a disc; the watched lane's has a frame. */
function Now({ kind, own, x, y }: NowProps) {
  return (
    <>
      {kind === 'store' ? (
        <circle class="now store" cx={x + CELL / 2} cy={y + CELL / 2} r={CELL / 2 - 2} />
      ) : (
        <rect class="now load" x={x + 2} y={y + 2} width={CELL - 4} height={CELL - 4} />
      )}
      {own && <rect class="mine" x={x} y={y} width={CELL} height={CELL} />}
    </>
  );
}

/** The part of the result that the workgroup computes. */
function Tile({
  trace: {
    of: { covers },
    group,
  },
  rows,
  columns,
}: {
  readonly trace: StepTrace;
  readonly rows: number;
  readonly columns: number;
}) {
  const isRow = typeof covers === 'number';
  const [height, width] = isRow ? [1, columns] : covers;
  const [x, y] = isRow ? [0, group[0]] : [group[0] * width, group[1] * height];
  return (
    <rect
      class="tile"
      x={x * CELL}
      y={y * CELL}
      width={Math.min(width, columns - x) * CELL}
      height={Math.min(height, rows - y) * CELL}
    />
  );
}

/** The workgroup's lanes as it numbers them, and the gate that a barrier is. */
function Lanes({ trace, at, lane, onLane }: PicturesProps) {
  const step = trace.steps[at]!;
  const [columns, rows] = trace.workgroupSize;
  const closed = step.kind === 'barrier';
  const [width, height] = [columns * LANE, rows * LANE];
  const onClick = (event: JSX.TargetedMouseEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const [x, y] = [
      Math.floor(((event.clientX - box.left) / box.width) * columns),
      Math.floor((((event.clientY - box.top) / box.height) * (height + 14)) / LANE),
    ];
    if (y < rows) onLane(Math.min(columns - 1, x) + y * columns);
  };
  return (
    <figure class="step-grid step-lanes">
      <figcaption>
        Lanes <span>{closed ? 'wait' : ''}</span>
      </figcaption>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the menus above are what a keyboard uses */}
      <svg
        role="img"
        aria-label={`${step.lanes.filter(Boolean).length} of ${trace.lanes} lanes active${closed ? ', all at the barrier' : ''}`}
        class="choosable"
        width={width + 2}
        height={height + 14}
        viewBox={`-1 -1 ${width + 2} ${height + 14}`}
        onClick={onClick}
      >
        {step.lanes.map((one, i) => {
          const [x, y] = [(i % columns) * LANE, Math.floor(i / columns) * LANE];
          return (
            <g key={i} class={one ? 'lane active' : 'lane'}>
              <rect x={x + 2} y={y + 2} width={LANE - 4} height={LANE - 4} rx={3} />
              <text x={x + LANE / 2} y={y + LANE / 2 + 4}>
                {i}
              </text>
              {i === lane && <rect class="mine" x={x} y={y} width={LANE} height={LANE} rx={4} />}
            </g>
          );
        })}
        {closed ? (
          <path class="gate closed" d={`M0 ${height + 5}H${width}M0 ${height + 9}H${width}`} />
        ) : (
          <path class="gate" d={`M0 ${height + 7}h${LANE / 3}M${width} ${height + 7}h${-LANE / 3}`} />
        )}
      </svg>
    </figure>
  );
}

function linesOf(rows: number, columns: number, cell: number): string {
  const across = Array.from({ length: rows + 1 }, (_, row) => `M0 ${row * cell}H${columns * cell}`);
  const down = Array.from({ length: columns + 1 }, (_, column) => `M${column * cell} 0V${rows * cell}`);
  return [...across, ...down].join('');
}
