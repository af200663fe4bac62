/**
 * Attention plans: which rows of a batch attend to which, computed on the host. The transformer runs on one tall matrix of rows; this
 * plan alone determines whether they are images, texts, or trees of texts with a common prefix.
 *
 * In a tree, the rows of the common prefix come first, then the suffixes in order. A prefix row attends to the prefix up to
 * itself; a suffix row attends to the whole prefix and to its own suffix up to itself. Each sequence prefix + suffix attends
 * to the same rows when computed separately, so the prefix needs to be computed only once (DESIGN: exact saving 3).
 */
import {
  type Engine,
  type MakeIndices,
  type RowGeometry,
  type RowIndex,
  rowIndex,
  type Tensor,
} from '../../tensor/index.js';

/** Which rows attend to which, and which rows are read at the end. */
export interface RowPlan extends Disposable {
  rows: number;
  /** For every block but the last: all rows are queries. */
  all: RowGeometry;
  /** For the last block: only the rows read at the end (one per sequence, CLS or EOT) are queries. */
  leaves: RowGeometry;
  /** Selects those rows. */
  leafRows: RowIndex;
}

/** `count` images of `rows` rows each: every row attends to its whole image. The `read` rows are read, by default the first (CLS). */
export function picturePlan(engine: Engine, count: number, rows: number, read: readonly number[] = [0]): RowPlan {
  const visible: Visible[] = [];
  const leaves: number[] = [];
  for (let picture = 0; picture < count; picture++) {
    const start = picture * rows;
    for (const row of read) leaves.push(start + row);
    for (let row = 0; row < rows; row++) visible.push([start, start, start, start + rows]);
  }
  return rowPlan(engine, visible, leaves);
}

/** Sequences that share a prefix. */
export interface Tree {
  /** Rows of the common prefix; 0 for separate sequences. */
  prefix: number;
  /** Rows of each suffix, at least 1. */
  suffixes: readonly number[];
}

/** Causal trees in sequence; the last row (EOT) of every suffix is read, in order. */
export function treePlan(engine: Engine, trees: readonly Tree[]): RowPlan {
  const visible: Visible[] = [];
  const leaves: number[] = [];
  for (const { prefix, suffixes } of trees) {
    const start = visible.length;
    for (let row = 0; row < prefix; row++) visible.push([start, start, start, start + row + 1]);
    for (const suffix of suffixes) {
      const own = visible.length;
      for (let row = 0; row < suffix; row++) visible.push([start, start + prefix, own, own + row + 1]);
      leaves.push(visible.length - 1);
    }
  }
  return rowPlan(engine, visible, leaves);
}

/** A query's two ranges of keys: [start, end) and [start, end). */
type Visible = readonly [number, number, number, number];

function rowPlan(engine: Engine, visible: readonly Visible[], leaves: readonly number[]): RowPlan {
  const owned: Tensor[] = [];
  const own = (data: readonly number[]): Tensor => {
    const tensor = engine.scope(() => engine.indices(data).share());
    owned.push(tensor);
    return tensor;
  };
  return {
    rows: visible.length,
    all: geometry(own, visible, visible.length),
    leaves: geometry(
      own,
      leaves.map((leaf) => visible[leaf]!),
      visible.length,
    ),
    leafRows: rowIndex(own, leaves, visible.length),
    [Symbol.dispose]: () => {
      for (const tensor of owned) tensor.dispose();
    },
  };
}

/** Adds the inverse relation, from keys to queries, which is one contiguous range in all plans made here. */
function geometry(indices: MakeIndices, visible: readonly Visible[], keys: number): RowGeometry {
  const first = new Array<number>(keys).fill(0);
  const count = new Array<number>(keys).fill(0);
  visible.forEach(([a, b, c, d], query) => {
    for (const [start, end] of [[a, b] as const, [c, d] as const]) {
      for (let key = start; key < end; key++) {
        if (count[key] === 0) first[key] = query;
        else if (query !== first[key]! + count[key]!) throw new Error(`key ${key} is not seen by one run of queries`);
        count[key]!++;
      }
    }
  });
  return {
    queries: visible.length,
    keys,
    pairs: visible.reduce((pairs, [a, b, c, d]) => pairs + b - a + d - c, 0),
    visible: indices(visible.flat()),
    seenBy: indices(first.flatMap((start, key) => [start, start + count[key]!])),
  };
}
