/**
 * Relative position biases as BEiT stores them (Bao et al., 2022, after Shaw et al., 2018): for a grid of g patches a side, a table of
 * (2g - 1)^2 + 3 numbers in each head. Query patch (y, x) and key patch (v, u) have the bias number (y - v + g - 1)(2g - 1) + (x - u + g - 1);
 * the last three are for the class token's row, its column, and itself.
 */

/** Numbers in a table. */
export function tableLength(grid: number): number {
  return (2 * grid - 1) ** 2 + 3;
}

/** Patches a side for a table of so many numbers; undefined if there is no such grid. */
export function gridOfTable(length: number): number | undefined {
  const grid = (Math.round(Math.sqrt(length - 3)) + 1) / 2;
  return grid >= 1 && Number.isInteger(grid) && tableLength(grid) === length ? grid : undefined;
}

/** A table [(2g - 1)^2 + 3, heads] as biases [heads, rows, rows] of query and key, rows = 1 + g^2, the class token first. */
export function spreadTable(table: Float32Array, heads: number): Float32Array {
  const length = table.length / heads;
  const grid = gridOfTable(length)!;
  const rows = 1 + grid * grid;
  const out = new Float32Array(heads * rows * rows);
  for (let query = 0; query < rows; query++) {
    for (let key = 0; key < rows; key++) {
      const from = biasNumber(grid, query, key) * heads;
      for (let head = 0; head < heads; head++) out[(head * rows + query) * rows + key] = table[from + head]!;
    }
  }
  return out;
}

function biasNumber(grid: number, query: number, key: number): number {
  const patches = (2 * grid - 1) ** 2;
  if (query === 0) return key === 0 ? patches + 2 : patches;
  if (key === 0) return patches + 1;
  const y = Math.floor((query - 1) / grid) - Math.floor((key - 1) / grid);
  const x = ((query - 1) % grid) - ((key - 1) % grid);
  return (y + grid - 1) * (2 * grid - 1) + x + grid - 1;
}
