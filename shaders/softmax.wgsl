// Softmax of each row. One workgroup of 64 per row.

// #include "reduce.wgsl"

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let row = group_number(grid);
  if (row >= params.rows) {
    return;
  }
  let at = row * params.columns;
  var largest = -3.0e38;
  for (var c = lane; c < params.columns; c += LANES) {
    largest = max(largest, x[at + c]);
  }
  largest = reduce_max(lane, largest);
  var sum = 0.0;
  for (var c = lane; c < params.columns; c += LANES) {
    sum += exp(x[at + c] - largest);
  }
  sum = reduce_sum(lane, sum);
  for (var c = lane; c < params.columns; c += LANES) {
    out[at + c] = exp(x[at + c] - largest) / sum;
  }
}
