/**
 * Arranges prompt sequences as a forest: each tree is a prefix (SOT and learned tokens) with a suffix (class words, learned tokens if any stand
 * after them, and EOT) for each class that uses it. If classes share a prompt, as for one image in the modes `both` and `is`, its rows are computed once
 * (DESIGN: exact saving 3).
 */
import { type RowPlan, treePlan } from '../clip/towers/index.js';
import { type Engine, gatherRows, type RowIndex, rowIndex, type Tensor } from '../tensor/index.js';
import type { FrozenRows } from './prompt-text.js';

/** A tree: the set of learned tokens at its root, and the classes whose suffixes follow. */
export interface PromptTree {
  set: number;
  classes: readonly number[];
}

export class Forest implements Disposable {
  readonly plan: RowPlan;
  readonly #learned: RowIndex;
  readonly #frozen: RowIndex;
  readonly #owned: Tensor[] = [];

  /** `sets`: number of sets of learned tokens available to the trees. */
  constructor(engine: Engine, frozen: FrozenRows, trees: readonly PromptTree[], sets: number) {
    const { tokens, prefix, sotRow, suffixes, after } = frozen;
    const before = tokens - after.count;
    const learnedRow: number[] = [];
    const frozenRow: number[] = [];
    for (const { set, classes } of trees) {
      if (sotRow !== undefined) {
        learnedRow.push(-1);
        frozenRow.push(sotRow);
      }
      for (let j = 0; j < before; j++) {
        learnedRow.push(set * tokens + j);
        frozenRow.push(j);
      }
      for (const c of classes) {
        const start = after.starts[c]!;
        for (const [at, row] of suffixes[c]!.entries()) {
          const isLearned = at >= start && at < start + after.count;
          learnedRow.push(isLearned ? set * tokens + before + at - start : -1);
          frozenRow.push(row);
        }
      }
    }
    this.plan = treePlan(
      engine,
      trees.map(({ classes }) => ({ prefix, suffixes: classes.map((c) => suffixes[c]!.length) })),
    );
    const own = (data: readonly number[]) => {
      const tensor = engine.scope(() => engine.indices(data).share());
      this.#owned.push(tensor);
      return tensor;
    };
    this.#learned = rowIndex(own, learnedRow, sets * tokens);
    this.#frozen = rowIndex(own, frozenRow, frozen.rows);
  }

  /** Combines learned tokens [sets * tokens, width] and frozen rows into the tower's input [rows, width]. */
  assemble(learned: Tensor, frozen: Tensor): Tensor {
    return gatherRows(learned, this.#learned, { tensor: frozen, index: this.#frozen });
  }

  [Symbol.dispose](): void {
    this.plan[Symbol.dispose]();
    for (const tensor of this.#owned) tensor.dispose();
  }
}

/** Rows of a tree with all of the given classes. */
export function treeRows({ prefix, suffixes }: FrozenRows, classes: readonly number[]): number {
  return classes.reduce((sum, c) => sum + suffixes[c]!.length, prefix);
}
