/**
 * Packing: operands rearranged into panels in the order in which the inner kernel reads them, padded with zeros at the
 * edges. Both transposes are handled here, so that there is one inner kernel.
 */
import { GROUP, PANEL_COLUMN, PANEL_ROW, TILE_COLUMNS, TILE_ROWS, WIDE } from './layout.generated';
import { loadLanes } from './simd';

/**
 * Packs one panel of A: `depth` columns of a tile's rows. `at` points to its first element; `rows` of them exist. Rows
 * of op(A) are `rowStride` bytes apart and columns `columnStride`; one of them is 4.
 */
export function packRows(at: usize, rowStride: usize, columnStride: usize, rows: i32, depth: i32, to: usize): void {
  if (columnStride == 4 && rows == TILE_ROWS) {
    const row1 = at + rowStride;
    const row2 = row1 + rowStride;
    const row3 = row2 + rowStride;
    const row4 = row3 + rowStride;
    packRuns(at, row1, row2, row3, row4, row4 + rowStride, depth, to);
    return;
  }
  if (rowStride == 4 && rows == TILE_ROWS) {
    for (let p = 0; p < depth; p++) {
      v128.store(to, v128.load(at));
      if (WIDE) v128.store_lane<f64>(to, v128.load64_zero(at, 16), 0, 16);
      else store<f32>(to, load<f32>(at, 16), 16);
      at += columnStride;
      to += PANEL_COLUMN;
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

/** Packs `depth` numbers from each of a tile's rows (the sixth where a tile has as many). */
export function packRuns(
  row0: usize, row1: usize, row2: usize, row3: usize, row4: usize, row5: usize, depth: i32, to: usize,
): void {
  let p = 0;
  for (; p + 4 <= depth; p += 4) {
    const offset = <usize>p << 2;
    transpose4(v128.load(row0 + offset), v128.load(row1 + offset), v128.load(row2 + offset), v128.load(row3 + offset), to, PANEL_COLUMN);
    const fifth = v128.load(row4 + offset);
    if (WIDE) {
      const sixth = v128.load(row5 + offset);
      const low = v128.shuffle<f32>(fifth, sixth, 0, 4, 1, 5);
      const high = v128.shuffle<f32>(fifth, sixth, 2, 6, 3, 7);
      v128.store_lane<f64>(to, low, 0, 16);
      v128.store_lane<f64>(to + PANEL_COLUMN, low, 1, 16);
      v128.store_lane<f64>(to + PANEL_COLUMN * 2, high, 0, 16);
      v128.store_lane<f64>(to + PANEL_COLUMN * 3, high, 1, 16);
    } else {
      v128.store_lane<f32>(to, fifth, 0, 16);
      v128.store_lane<f32>(to + PANEL_COLUMN, fifth, 1, 16);
      v128.store_lane<f32>(to + PANEL_COLUMN * 2, fifth, 2, 16);
      v128.store_lane<f32>(to + PANEL_COLUMN * 3, fifth, 3, 16);
    }
    to += PANEL_COLUMN * 4;
  }
  for (; p < depth; p++) {
    const offset = <usize>p << 2;
    store<f32>(to, load<f32>(row0 + offset));
    store<f32>(to, load<f32>(row1 + offset), 4);
    store<f32>(to, load<f32>(row2 + offset), 8);
    store<f32>(to, load<f32>(row3 + offset), 12);
    store<f32>(to, load<f32>(row4 + offset), 16);
    if (WIDE) store<f32>(to, load<f32>(row5 + offset), 20);
    to += PANEL_COLUMN;
  }
}

/**
 * Packs `panels` neighbouring panels of B, each `depth` rows of a tile's columns. `at` points to their first element; `columns` of them
 * exist. Rows of op(B) are `rowStride` bytes apart and columns `columnStride`, one of which is 4; panels
 * are written `panelStride` bytes apart.
 */
export function packPanels(
  at: usize, rowStride: usize, columnStride: usize, panels: i32, columns: i32, depth: i32, to: usize, panelStride: usize,
): void {
  if (columnStride == 4 && columns == GROUP * TILE_COLUMNS) {
    packGroupRows(at, rowStride, depth, to, panelStride);
    return;
  }
  for (let panel = 0; panel < panels; panel++) {
    packPanel(at, rowStride, columnStride, min(TILE_COLUMNS, columns - panel * TILE_COLUMNS), depth, to);
    at += columnStride * TILE_COLUMNS;
    to += panelStride;
  }
}

/**
 * A group of whole panels at once from rows of B: 128 bytes of each row are read together. One panel at a time would fetch cache
 * lines and pages more than once.
 */
function packGroupRows(at: usize, rowStride: usize, depth: i32, to: usize, panelStride: usize): void {
  const end = to + <usize>depth * PANEL_ROW;
  if (WIDE) {
    for (; to < end; to += PANEL_ROW) {
      copy32(at, to);
      copy32(at + 32, to + 32);
      copy32(at + 64, to + panelStride);
      copy32(at + 96, to + panelStride + 32);
      at += rowStride;
    }
    return;
  }
  for (; to < end; to += PANEL_ROW) {
    copy32(at, to);
    copy32(at + 32, to + panelStride);
    copy32(at + 64, to + panelStride * 2);
    copy32(at + 96, to + panelStride * 3);
    at += rowStride;
  }
}

// @ts-ignore: decorator
@inline
function copy32(from: usize, to: usize): void {
  // Both loads first: a store between them would keep an engine from fusing them.
  const low = v128.load(from);
  const high = v128.load(from, 16);
  v128.store(to, low);
  v128.store(to, high, 16);
}

/** One panel of B, of which `columns` exist. */
function packPanel(at: usize, rowStride: usize, columnStride: usize, columns: i32, depth: i32, to: usize): void {
  if (columnStride == 4) {
    for (let p = 0; p < depth; p++) {
      for (let column = 0; column < TILE_COLUMNS; column += 4) {
        const offset = <usize>column << 2;
        v128.store(to + offset, columns > column ? loadLanes(at + offset, columns - column) : f32x4.splat(0));
      }
      at += rowStride;
      to += PANEL_ROW;
    }
    return;
  }
  let p = 0;
  if (columns == TILE_COLUMNS) {
    for (; p + 4 <= depth; p += 4) {
      let from = at + (<usize>p << 2);
      for (let offset: usize = 0; offset < PANEL_ROW; offset += 16) {
        transposeFrom(from, columnStride, to + offset);
        from += columnStride * 4;
      }
      to += PANEL_ROW * 4;
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

/** Four vectors, `stride` bytes apart, become the columns of four rows of a panel. */
// @ts-ignore: decorator
@inline
function transposeFrom(at: usize, stride: usize, to: usize): void {
  const second = at + stride;
  const third = second + stride;
  transpose4(v128.load(at), v128.load(second), v128.load(third), v128.load(third + stride), to, PANEL_ROW);
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
