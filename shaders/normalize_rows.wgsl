// Rows divided by their Euclidean length: out = x / |x|, norm = |x|; a row of zeros stays zero. One workgroup of 64 per row.

// #include "reduce.wgsl"

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<storage, read_write> norm: array<f32>;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let row = group_number(grid);
  if (row >= params.rows) {
    return;
  }
  let at = row * params.columns;
  var squares = 0.0;
  for (var c = lane; c < params.columns; c += LANES) {
    squares += x[at + c] * x[at + c];
  }
  let length = sqrt(reduce_sum(lane, squares));
  // Compared this way round, a NaN stays NaN.
  let scale = select(1.0 / length, 0.0, length == 0.0);
  for (var c = lane; c < params.columns; c += LANES) {
    out[at + c] = x[at + c] * scale;
  }
  if (lane == 0u) {
    norm[row] = length;
  }
}
