// Layer normalisation of each row: out = (x - mean) * rstd * weight + bias. One workgroup of 64 per row.
// The variance is computed from centred values: two passes over a row that is in cache, no cancellation.

// #include "reduce.wgsl"

struct Params {
  rows: u32,
  columns: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<storage, read_write> statistics: array<f32>;  // [rows, 2]: mean, rstd

override HAS_STATISTICS: bool = false;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let row = group_number(grid);
  if (row >= params.rows) {
    return;
  }
  let at = row * params.columns;
  var sum = 0.0;
  for (var c = lane; c < params.columns; c += LANES) {
    sum += x[at + c];
  }
  let mean = reduce_sum(lane, sum) / f32(params.columns);
  var squares = 0.0;
  for (var c = lane; c < params.columns; c += LANES) {
    let centred = x[at + c] - mean;
    squares += centred * centred;
  }
  let rstd = 1.0 / sqrt(reduce_sum(lane, squares) / f32(params.columns) + params.epsilon);
  for (var c = lane; c < params.columns; c += LANES) {
    out[at + c] = (x[at + c] - mean) * rstd * weight[c] + bias[c];
  }
  if (HAS_STATISTICS && lane == 0u) {
    statistics[2u * row] = mean;
    statistics[2u * row + 1u] = rstd;
  }
}
