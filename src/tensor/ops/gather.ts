/** Gathering rows, with its gradient: every source row collects from its readers. */
import { kernels } from '../../kernels/index.js';
import { checkedAxes } from '../shapes.js';
import type { Tensor } from '../tensor.js';

/** Which source row each output row reads (-1: none), and the inverse for the gradient. */
export interface RowIndex {
  rows: number;
  sourceRows: number;
  /** i32 [rows]. */
  index: Tensor;
  /** i32 [sourceRows + 1]. */
  readerStart: Tensor;
  /** i32: the output rows that read each source row. */
  readers: Tensor;
}

/** Puts row numbers onto a device; `(data) => engine.indices(data)`, or a version of it that keeps them. */
export type MakeIndices = (data: readonly number[]) => Tensor;

/** Makes the index of `gatherRows`, and with it what its gradient needs. Throws Error if a number is not that of a row, or -1. */
export function rowIndex(indices: MakeIndices, index: readonly number[], sourceRows: number): RowIndex {
  const readersOf: number[][] = Array.from({ length: sourceRows }, () => []);
  index.forEach((source, row) => {
    if (!Number.isInteger(source) || source < -1 || source >= sourceRows)
      throw new Error(`rowIndex: expected rows from -1 to ${sourceRows - 1}, found ${source} in row ${row}`);
    if (source >= 0) readersOf[source]?.push(row);
  });
  const start = [0];
  for (const readers of readersOf) start.push(start.at(-1)! + readers.length);
  return {
    rows: index.length,
    sourceRows,
    index: indices(index),
    readerStart: indices(start),
    // One extra, so that an index that reads nothing still has memory to bind.
    readers: indices([...readersOf.flat(), -1]),
  };
}

/** Rows of another tensor to add to the gathered ones. */
export interface BaseRows {
  tensor: Tensor;
  index: RowIndex;
}

/**
 * out[r] = source[index[r]] + base[baseIndex[r]], a part with index -1 being zero. source [n, width], out [rows, width]. With a table of vectors
 * as its source it is an embedding.
 */
export function gatherRows(source: Tensor, index: RowIndex, base?: BaseRows): Tensor {
  const { engine } = source;
  checkedAxes(
    'gatherRows',
    {
      source: [source, 'sourceRows columns'],
      index: [index.index, 'rows'],
      'base.tensor': [base?.tensor, 'baseRows columns'],
      'base.index': [base?.index.index, 'rows'],
    },
    { sourceRows: index.sourceRows, rows: index.rows, ...(base && { baseRows: base.index.sourceRows }) },
  );
  const { out } = engine.run(kernels.gatherRows, {
    source,
    index: index.index,
    base: base?.tensor,
    baseIndex: base?.index.index,
  });
  const readersOf = ({ readerStart, readers }: RowIndex) => ({ readerStart, readers });
  const own = source.vertex && readersOf(index);
  const added = base?.tensor.vertex && readersOf(base.index);
  const saved = {
    ...{ readerStart: own?.readerStart, readers: own?.readers },
    ...{ baseReaderStart: added?.readerStart, baseReaders: added?.readers },
  };
  engine.record(out, [source, base?.tensor], saved, (gradOut, kept, { give }) => {
    const collected = (readerStart: Tensor, readers: Tensor, sourceRows: number) =>
      engine.run(kernels.scatterAddRows, { gradOut, readerStart, readers, sourceRows }).out;
    give(0, () => collected(kept.readerStart!, kept.readers!, index.sourceRows));
    give(1, () => collected(kept.baseReaderStart!, kept.baseReaders!, base!.index.sourceRows));
  });
  return out;
}
