/** Whether this engine fuses neighbouring vectors of 128 bits, found out by running both inner kernels. */
import { TILES } from './layout.generated.js';
import { compileTiles } from './module.js';

/** What `compareTiles` found: the rates are GFLOP/s of one thread with operands in the first-level cache. */
export interface TileComparison {
  /** Whether both gave the same bits. */
  equal: boolean;
  narrow: number;
  wide: number;
}

type TileName = keyof typeof TILES;

const DEPTH = 256;
/** Tiles of a timed run: some 30 us of optimised code. */
const TIMES = 40;
/** An engine runs new code before it has optimised it; runs count once both kernels have become this much faster. */
const OPTIMISED = 2;
/** Runs that count, of which the fastest is taken. */
const RUNS = 12;
/** Milliseconds after which the comparison ends in any case. */
const PATIENCE = 60;
/** Bytes between the operands and results of the two kernels. */
const APART = 65_536;

/** Takes some 20 ms. Needs relaxed SIMD. */
export function compareTiles(): TileComparison {
  const memory = new WebAssembly.Memory({ initial: 2 });
  const { exports } = new WebAssembly.Instance(compileTiles(), { env: { memory } });
  const kernels = exports as unknown as Record<TileName, (...args: number[]) => void>;
  const addresses = (name: TileName) => {
    const { rows, columns } = TILES[name];
    const a = name === 'narrow' ? 0 : APART;
    return { a, b: a + 4 * DEPTH * rows, out: a + 4 * DEPTH * (rows + columns) };
  };
  const run = (name: TileName, times: number): Float32Array => {
    const { a, b, out } = addresses(name);
    kernels[name](a, b, out, DEPTH, times);
    return new Float32Array(memory.buffer, out, TILES[name].rows * TILES[name].columns);
  };
  /** Writes rows from `row` on and columns from `column` on of one product's operands as a kernel reads them. */
  const write = (name: TileName, row: number, column: number) => {
    const { rows, columns } = TILES[name];
    const { a, b } = addresses(name);
    const left = new Float32Array(memory.buffer, a, DEPTH * rows);
    const right = new Float32Array(memory.buffer, b, DEPTH * columns);
    // Numbers whose products and sums have to be rounded, so that another order or an addition of its own shows.
    for (let i = 0; i < left.length; i++)
      left[i] = Math.sin(1 + Math.floor(i / rows) * TILES.wide.rows + (i % rows) + row);
    for (let i = 0; i < right.length; i++)
      right[i] = Math.cos(1 + Math.floor(i / columns) * TILES.wide.columns + (i % columns) + column);
  };
  const rate = (name: TileName): number => {
    const { rows, columns } = TILES[name];
    const start = performance.now();
    run(name, TIMES);
    return (2 * rows * columns * DEPTH * TIMES) / Math.max(performance.now() - start, 1e-3) / 1e6;
  };

  write('narrow', 0, 0);
  write('wide', 0, 0);
  const first = { narrow: rate('narrow'), wide: rate('wide') };
  const best = { ...first };
  const end = performance.now() + PATIENCE;
  for (let counted = 0; counted < RUNS && performance.now() < end; ) {
    for (const name of ['narrow', 'wide'] as const) best[name] = Math.max(best[name], rate(name));
    if (best.narrow > OPTIMISED * first.narrow && best.wide > OPTIMISED * first.wide) counted++;
  }

  // Last, so that it is the optimised code that is checked. The narrow tile at the four corners covers all of the wide one.
  const whole = run('wide', 1);
  const { columns } = TILES.narrow;
  let equal = true;
  for (const row of [0, TILES.wide.rows - TILES.narrow.rows]) {
    for (const column of [0, TILES.wide.columns - columns]) {
      write('narrow', row, column);
      const at = (i: number) => (row + Math.floor(i / columns)) * TILES.wide.columns + column + (i % columns);
      equal &&= run('narrow', 1).every((x, i) => x === whole[at(i)]);
    }
  }
  return { equal, ...best };
}
