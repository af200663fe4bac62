/** Which cells are marked at a step, and how. */
import type { Step, SteppedMatrix, SteppedMemory, StepTrace } from '../../../../src/lab/index.js';

/** What a cell has seen: nothing, an earlier access of any lane, or of the watched one. */
export type Seen = 'any' | 'own' | undefined;

/** When each word of a buffer or array was first touched, by any lane and by each. */
export class Touches {
  readonly #any = new Map<string, number>();
  readonly #own = new Map<string, number>();

  constructor({ steps }: StepTrace, lane: number) {
    for (const [i, { kind, name, lanes }] of steps.entries()) {
      if (kind === 'sum' || kind === 'barrier') continue;
      for (const [who, one] of lanes.entries()) {
        if (!one) continue;
        for (let at = one.at; at < one.at + one.values.length; at++) {
          const word = `${name} ${at}`;
          if (!this.#any.has(word)) this.#any.set(word, i);
          if (who === lane && !this.#own.has(word)) this.#own.set(word, i);
        }
      }
    }
  }

  /** Before or at a step. */
  seen(name: string, at: number, step: number): Seen {
    const word = `${name} ${at}`;
    if ((this.#own.get(word) ?? Number.POSITIVE_INFINITY) <= step) return 'own';
    return (this.#any.get(word) ?? Number.POSITIVE_INFINITY) <= step ? 'any' : undefined;
  }
}

/** A grid to be drawn: a buffer's matrix, or workgroup memory. */
export interface Grid {
  readonly name: string;
  readonly title: string;
  readonly rows: number;
  readonly columns: number;
  /** The word in a cell. */
  at(row: number, column: number): number;
}

export function gridOfMatrix({ buffer, title, rows, columns, stride, offset }: SteppedMatrix): Grid {
  return { name: buffer, title, rows, columns, at: (row, column) => offset + row * stride + column };
}

export function gridOfMemory({ name, rows, columns }: SteppedMemory): Grid {
  return { name, title: name, rows, columns, at: (row, column) => row * columns + column };
}

/** What a step does to each word of a grid: `own` if the watched lane is among those that do. */
export function touchedNow({ kind, name, lanes }: Step, grid: Grid, lane: number): ReadonlyMap<number, 'any' | 'own'> {
  const now = new Map<number, 'any' | 'own'>();
  if (name !== grid.name || kind === 'sum') return now;
  for (const [who, one] of lanes.entries()) {
    for (let i = 0; i < (one?.values.length ?? 0); i++) {
      const at = one!.at + i;
      if (who === lane || !now.has(at)) now.set(at, who === lane ? 'own' : 'any');
    }
  }
  return now;
}

/** The lane whose store a word of the result is; undefined if it is another workgroup's. */
export function laneOf({ steps }: StepTrace, name: string, at: number): number | undefined {
  for (const { kind, name: to, lanes } of steps) {
    if (kind !== 'store' || to !== name) continue;
    const lane = lanes.findIndex((one) => one?.at === at);
    if (lane >= 0) return lane;
  }
  return undefined;
}

/** The words of the result that a lane stores, in the end. */
export function wordsOf({ steps }: StepTrace, name: string, lane: number): ReadonlySet<number> {
  const stores = steps.filter(({ kind, name: to }) => kind === 'store' && to === name);
  return new Set(stores.flatMap(({ lanes }) => lanes[lane]?.at ?? []));
}

/** The workgroup that computes a cell of the result. */
export function groupOf({ of: { covers }, grid }: StepTrace, row: number, column: number): readonly [number, number] {
  if (typeof covers === 'number') return [Math.min(row, grid[0] - 1), 0];
  return [Math.floor(column / covers[1]), Math.floor(row / covers[0])];
}
