/** Gathering rows by number, and the gradient: every source row collects from its readers. */
import { ELEMENTWISE, kernel, only, optional, reads, readsIndices, writes } from '../definition.js';
import { rowShapes, TOWER } from './shapes.js';

export const gatherRows = kernel({
  name: 'gatherRows',
  formula: 'out[r] = source[index[r]] + base[baseIndex[r]]; a part whose index is -1 is zero',
  operands: {
    source: reads('sourceRows columns'),
    index: readsIndices('rows'),
    base: optional(reads('baseRows columns')),
    baseIndex: optional(readsIndices('rows'), 'base'),
    out: writes('rows columns'),
  },
  twin({ source, index, base, baseIndex, out, rows, columns }) {
    for (let row = 0; row < rows; row++) {
      const from = index[row]!;
      const baseFrom = baseIndex ? baseIndex[row]! : -1;
      for (let c = 0; c < columns; c++) {
        out[row * columns + c] =
          (from < 0 ? 0 : source[from * columns + c]!) + (base && baseFrom >= 0 ? base[baseFrom * columns + c]! : 0);
      }
    }
  },
  variants: only('gather_rows', ELEMENTWISE),
  unit: 'element',
  units: ({ rows, columns }) => rows * columns,
  notes: { index: '-1 is a row of zeros', baseIndex: '-1 adds nothing' },
  cases: {
    sizes: TOWER,
    data(d, { rows = 0, base }) {
      const sourceRows = Math.max(1, rows - 3);
      return {
        sourceRows,
        baseRows: 2,
        index: d.ints(Array.from({ length: rows }, (_, i) => (i % 4 === 1 ? -1 : (i * 3) % sourceRows))),
        ...(base && { baseIndex: d.ints(Array.from({ length: rows }, (_, i) => (i % 3) - 1)) }),
      };
    },
    suite: rowShapes.flatMap(({ rows, columns }) => {
      const shape = { rows: rows + 3, columns };
      return [shape, { ...shape, base: 1 }];
    }),
  },
});

/** A scatter-add without atomics, in the order of the readers, so that the result does not depend on scheduling. */
export const scatterAddRows = kernel({
  name: 'scatterAddRows',
  formula: 'out[s] = sum of gradOut[readers[t]] for t from readerStart[s] to readerStart[s + 1]',
  operands: {
    gradOut: reads('rows columns'),
    readerStart: readsIndices('starts'),
    readers: readsIndices('readings'),
    out: writes('sourceRows columns'),
  },
  twin({ gradOut, readerStart, readers, out, sourceRows, columns }) {
    for (let row = 0; row < sourceRows; row++) {
      for (let c = 0; c < columns; c++) {
        let sum = 0;
        for (let t = readerStart[row]!; t < readerStart[row + 1]!; t++) sum += gradOut[readers[t]! * columns + c]!;
        out[row * columns + c] = sum;
      }
    }
  },
  variants: only('scatter_add_rows', ELEMENTWISE),
  unit: 'element',
  units: ({ sourceRows, columns }) => sourceRows * columns,
  notes: {
    readerStart: 'where the list of readers of a source row begins; one more than there are rows',
    readers: 'the rows that read it, list after list',
  },
  cases: {
    sizes: { sourceRows: 512, columns: 512 },
    data(d, { sourceRows = 0 }) {
      const rows = Math.max(1, sourceRows - 1);
      // Source row s is read by rows s, s + 1, ... of a ring, s % 3 of them: none, one or several readers.
      const readers = Array.from({ length: sourceRows }, (_, s) =>
        Array.from({ length: s % 3 }, (_, t) => (s + t) % rows),
      );
      const starts = [0];
      for (const list of readers) starts.push(starts.at(-1)! + list.length);
      const all = [...readers.flat(), 0];
      return {
        rows,
        starts: starts.length,
        readings: all.length,
        readerStart: d.ints(starts),
        readers: d.ints(all),
      };
    },
    suite: rowShapes.map(({ rows, columns }) => ({ sourceRows: rows + 1, columns })),
  },
});
