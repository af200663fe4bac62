/**
 * Learned rows among those of a tower's input, and new ones in their place at the inputs of later blocks: deep prompts (Jia et al., ECCV 2022; Khattak et
 * al., CVPR 2023). A row that is replaced goes no further, so a block's rows reach the later ones through the rows that stay.
 */
import { gatherRows, type MakeIndices, type RowIndex, rowIndex, type Tensor } from '../../tensor/index.js';

/** Learned rows of a tower. */
export interface TowerPrompts {
  /** Those of the input of each block from the first one on, [tokens, width]; later blocks keep what they are given. */
  readonly layers: readonly Tensor[];
  /** Before the patches, or behind them. */
  readonly place: 'after class' | 'end';
}

/** Which rows stay, and which are learned: [rows with the learned ones, width] is made of both. */
export interface RowMix {
  readonly kept: RowIndex;
  readonly learned: RowIndex;
}

/** How learned rows come among the rows of sequences of equal length, and how others take their place later. */
export interface RowInsert {
  /** From the rows without them. */
  readonly first: RowMix;
  /** From the rows with them. */
  readonly again: RowMix;
}

/** Index data of a row of the result, of both mixes. */
export const MIX_NUMBERS = 10;

/** Learned rows before row `at` of each of the sequences, which have `rows` rows without them. */
export function rowInsert(
  own: MakeIndices,
  { sequences, rows, at, learned }: Readonly<Record<'sequences' | 'rows' | 'at' | 'learned', number>>,
): RowInsert {
  const all = rows + learned;
  const isLearned = (row: number) => row >= at && row < at + learned;
  const sources = Array.from({ length: sequences * all }, (_, i) => {
    const [sequence, row] = [Math.floor(i / all), i % all];
    if (isLearned(row)) return { before: -1, with: -1, learned: row - at };
    return { before: sequence * rows + (row < at ? row : row - learned), with: i, learned: -1 };
  });
  const index = rowIndex(
    own,
    sources.map(({ learned }) => learned),
    learned,
  );
  const keptOf = (key: 'before' | 'with', count: number) =>
    rowIndex(
      own,
      sources.map((source) => source[key]),
      count,
    );
  return {
    first: { kept: keptOf('before', sequences * rows), learned: index },
    again: { kept: keptOf('with', sequences * all), learned: index },
  };
}

/** `rows` with learned rows [tokens, width] at their places. */
export function insertRows(rows: Tensor, { kept, learned }: RowMix, prompts: Tensor): Tensor {
  return gatherRows(rows, kept, { tensor: prompts, index: learned });
}
