// out[r] = source[index[r]] + base[base_index[r]]; a part whose index is -1 is zero. Four elements per invocation.

// #include "grid.wgsl"

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read> index: array<i32>;
@group(0) @binding(3) var<storage, read> base: array<f32>;
@group(0) @binding(4) var<storage, read> base_index: array<i32>;
@group(0) @binding(5) var<storage, read_write> out: array<f32>;

override HAS_BASE: bool = false;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  for (var i = 0u; i < ELEMENTS; i++) {
    let at = nth_element(grid, lane, i);
    if (at >= params.rows * params.columns) {
      break;
    }
    let row = at / params.columns;
    let column = at % params.columns;
    var value = 0.0;
    if (index[row] >= 0) {
      value = source[u32(index[row]) * params.columns + column];
    }
    if (HAS_BASE) {
      if (base_index[row] >= 0) {
        value += base[u32(base_index[row]) * params.columns + column];
      }
    }
    out[at] = value;
  }
}
