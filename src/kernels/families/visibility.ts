/** Which row sees which, for cases of attention: written out from its definition by brute force, apart from the towers' own plans. */

export interface RowVisibility {
  /** [queries, 4]. */
  visible: number[];
  /** [keys, 2]. */
  seenBy: number[];
  /** The same rows, but only the last row of each sequence asks. */
  onlyLeaves(): { visible: number[]; seenBy: number[] };
}

/**
 * Pictures: every row sees all rows of its picture, and the first one is the one that is read. Before and after them, `blind` rows that see
 * nothing and that nothing sees.
 */
export function pictureRows(pictures: number, rowsEach: number, blind = 0): RowVisibility {
  const starts = Array.from({ length: pictures }, (_, picture) => blind + picture * rowsEach);
  const rows = starts.flatMap((start) =>
    Array.from({ length: rowsEach }, () => [start, start, start, start + rowsEach]),
  );
  return visibility(rows, starts, blind);
}

/** Independent causal sequences of the given lengths, one after the other. */
export function causalRows(lengths: number[]): RowVisibility {
  const rows: number[][] = [];
  const leaves: number[] = [];
  let start = 0;
  for (const length of lengths) {
    for (let i = 0; i < length; i++) rows.push([start, start, start, start + i + 1]);
    start += length;
    leaves.push(start - 1);
  }
  return visibility(rows, leaves);
}

/** `trees` trees, each a causal prefix followed by causal suffixes that see the whole prefix and themselves; `blind` as for pictures. */
export function treeRows(trees: number, prefix: number, suffixes: number[], blind = 0): RowVisibility {
  const rows: number[][] = [];
  const leaves: number[] = [];
  let start = blind;
  for (let tree = 0; tree < trees; tree++) {
    for (let i = 0; i < prefix; i++) rows.push([start, start, start, start + i + 1]);
    let at = start + prefix;
    for (const suffix of suffixes) {
      for (let i = 0; i < suffix; i++) rows.push([start, start + prefix, at, at + i + 1]);
      at += suffix;
      leaves.push(at - 1);
    }
    start = at;
  }
  return visibility(rows, leaves, blind);
}

/** `seeing` are the rows from number `blind` on. Blind rows are asked along with the leaves. */
function visibility(seeing: number[][], seeingLeaves: number[], blind = 0): RowVisibility {
  const end = blind + seeing.length;
  const none = (first: number) => Array.from({ length: blind }, (_, i) => first + i);
  const nothing = (row: number) => [row, row, 0, 0];
  const rows = [...none(0).map(nothing), ...seeing, ...none(end).map(nothing)];
  const leaves = [...none(0), ...seeingLeaves, ...none(end)];
  const of = (queries: number[][]) => ({ visible: queries.flat(), seenBy: seenByOf(queries, rows.length) });
  return { ...of(rows), onlyLeaves: () => of(leaves.map((leaf) => rows[leaf]!)) };
}

/** First and past-the-last query that sees each key; fails if they are not one run. */
function seenByOf(queries: number[][], keys: number): number[] {
  return Array.from({ length: keys }, (_, key) => {
    const readers = queries.flatMap(([a, b, c, d], query) =>
      (key >= a! && key < b!) || (key >= c! && key < d!) ? [query] : [],
    );
    const first = readers[0] ?? 0;
    if (readers.some((reader, i) => reader !== first + i))
      throw new Error(`key ${key} is not seen by one run of queries`);
    return [first, first + readers.length];
  }).flat();
}
