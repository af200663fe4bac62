// The gradient of a gather: out[s] = sum of grad_out[readers[t]] for t in [reader_start[s], reader_start[s + 1]).
// Each output element gathers its own readers in a fixed order: no atomics, and the same result every time.

// #include "grid.wgsl"

struct Params {
  source_rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> grad_out: array<f32>;
@group(0) @binding(2) var<storage, read> reader_start: array<i32>;
@group(0) @binding(3) var<storage, read> readers: array<i32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  for (var i = 0u; i < ELEMENTS; i++) {
    let at = nth_element(grid, lane, i);
    if (at >= params.source_rows * params.columns) {
      break;
    }
    let row = at / params.columns;
    let column = at % params.columns;
    var sum = 0.0;
    for (var t = reader_start[row]; t < reader_start[row + 1u]; t++) {
      sum += grad_out[u32(readers[t]) * params.columns + column];
    }
    out[at] = sum;
  }
}
