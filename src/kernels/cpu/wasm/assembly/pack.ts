/**
 * Packing: operands rearranged into panels in the order in which the inner kernel reads them, padded with zeros at the
 * edges. Both transposes are handled here, so that there is one inner kernel.
 */
import { TILE_COLUMNS, TILE_ROWS } from './layout.generated';
import { loadLanes } from './simd';

/**
 * Packs one panel of A: `depth` columns of 5 rows each. `at` points to its first element; `rows` (1 to 5) of them exist. Rows
 * of op(A) are `rowStride` bytes apart and columns `columnStride`; one of them is 4.
 */
export function packRows(at: usize, rowStride: usize, columnStride: usize, rows: i32, depth: i32, to: usize): void {
  if (columnStride == 4 && rows == TILE_ROWS) {
    const row1 = at + rowStride;
    const row2 = row1 + rowStride;
    const row3 = row2 + rowStride;
    const row4 = row3 + rowStride;
    let p = 0;
    for (; p + 4 <= depth; p += 4) {
      const offset = <usize>p << 2;
      transpose4(v128.load(at + offset), v128.load(row1 + offset), v128.load(row2 + offset), v128.load(row3 + offset), to, 20);
      const last = v128.load(row4 + offset);
      v128.store_lane<f32>(to, last, 0, 16);
      v128.store_lane<f32>(to, last, 1, 36);
      v128.store_lane<f32>(to, last, 2, 56);
      v128.store_lane<f32>(to, last, 3, 76);
      to += 80;
    }
    for (; p < depth; p++) {
      const offset = <usize>p << 2;
      store<f32>(to, load<f32>(at + offset));
      store<f32>(to, load<f32>(row1 + offset), 4);
      store<f32>(to, load<f32>(row2 + offset), 8);
      store<f32>(to, load<f32>(row3 + offset), 12);
      store<f32>(to, load<f32>(row4 + offset), 16);
      to += 20;
    }
    return;
  }
  if (rowStride == 4 && rows == TILE_ROWS) {
    for (let p = 0; p < depth; p++) {
      v128.store(to, v128.load(at));
      store<f32>(to, load<f32>(at, 16), 16);
      at += columnStride;
      to += 20;
    }
    return;
  }
  for (let p = 0; p < depth; p++) {
    let element = at;
    for (let row = 0; row < TILE_ROWS; row++) {
      store<f32>(to, row < rows ? load<f32>(element) : 0);
      element += rowStride;
      to += 4;
    }
    at += columnStride;
  }
}

/**
 * Packs `panels` neighbouring panels of B, each `depth` rows of 8 columns. `at` points to their first element; `columns` (at most 8 a
 * panel) of them exist. Rows of op(B) are `rowStride` bytes apart and columns `columnStride`, one of which is 4; panels
 * are written `panelStride` bytes apart.
 */
export function packPanels(
  at: usize, rowStride: usize, columnStride: usize, panels: i32, columns: i32, depth: i32, to: usize, panelStride: usize,
): void {
  if (columnStride == 4 && columns == 4 * TILE_COLUMNS) {
    packFour(at, rowStride, depth, to, panelStride);
    return;
  }
  for (let panel = 0; panel < panels; panel++) {
    packPanel(at, rowStride, columnStride, min(TILE_COLUMNS, columns - panel * TILE_COLUMNS), depth, to);
    at += columnStride * TILE_COLUMNS;
    to += panelStride;
  }
}

/**
 * Four whole panels at once from rows of B: 128 bytes of each row are read together. One panel at a time would fetch every
 * cache line twice and every page four times.
 */
function packFour(at: usize, rowStride: usize, depth: i32, to: usize, panelStride: usize): void {
  const to1 = to + panelStride;
  const to2 = to1 + panelStride;
  const to3 = to2 + panelStride;
  const end = <usize>depth << 5;
  for (let offset: usize = 0; offset < end; offset += 32) {
    v128.store(to + offset, v128.load(at));
    v128.store(to + offset, v128.load(at, 16), 16);
    v128.store(to1 + offset, v128.load(at, 32));
    v128.store(to1 + offset, v128.load(at, 48), 16);
    v128.store(to2 + offset, v128.load(at, 64));
    v128.store(to2 + offset, v128.load(at, 80), 16);
    v128.store(to3 + offset, v128.load(at, 96));
    v128.store(to3 + offset, v128.load(at, 112), 16);
    at += rowStride;
  }
}

/** One panel of B, of which `columns` (1 to 8) exist. */
function packPanel(at: usize, rowStride: usize, columnStride: usize, columns: i32, depth: i32, to: usize): void {
  if (columnStride == 4) {
    for (let p = 0; p < depth; p++) {
      v128.store(to, loadLanes(at, columns));
      v128.store(to, columns > 4 ? loadLanes(at + 16, columns - 4) : f32x4.splat(0), 16);
      at += rowStride;
      to += 32;
    }
    return;
  }
  let p = 0;
  if (columns == TILE_COLUMNS) {
    const right = at + columnStride * 4;
    for (; p + 4 <= depth; p += 4) {
      const offset = <usize>p << 2;
      transposeFrom(at + offset, columnStride, to);
      transposeFrom(right + offset, columnStride, to + 16);
      to += 128;
    }
  }
  for (; p < depth; p++) {
    let element = at + (<usize>p << 2);
    for (let column = 0; column < TILE_COLUMNS; column++) {
      store<f32>(to, column < columns ? load<f32>(element) : 0);
      element += columnStride;
      to += 4;
    }
  }
}

/** Four vectors, `stride` bytes apart, become the columns of four rows 32 bytes apart. */
// @ts-ignore: decorator
@inline
function transposeFrom(at: usize, stride: usize, to: usize): void {
  const second = at + stride;
  const third = second + stride;
  transpose4(v128.load(at), v128.load(second), v128.load(third), v128.load(third + stride), to, 32);
}

/** Stores the transpose of the 4 x 4 block whose rows are a, b, c, d as rows `stride` bytes apart. */
// @ts-ignore: decorator
@inline
function transpose4(a: v128, b: v128, c: v128, d: v128, to: usize, stride: usize): void {
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f64>(ab, cd, 0, 2));
  v128.store(to + stride, v128.shuffle<f64>(ab, cd, 1, 3));
  v128.store(to + stride * 2, v128.shuffle<f64>(abHigh, cdHigh, 0, 2));
  v128.store(to + stride * 3, v128.shuffle<f64>(abHigh, cdHigh, 1, 3));
}
