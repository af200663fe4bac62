// Sums over rows and their gradient. `sum_rows`: out[c] = scale * sum of x[r, c], one workgroup of 64 per column, so that
// a single tall column (a mean over a batch) is parallel too. `broadcast_rows`: out[r, c] = scale * x[c].

// #include "reduce.wgsl"

struct Params {
  rows: u32,
  columns: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn sum_rows(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let column = group_number(grid);
  if (column >= params.columns) {
    return;
  }
  var sum = 0.0;
  for (var row = lane; row < params.rows; row += LANES) {
    sum += x[row * params.columns + column];
  }
  sum = reduce_sum(lane, sum);
  if (lane == 0u) {
    out[column] = params.scale * sum;
  }
}

@compute @workgroup_size(64)
fn broadcast_rows(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  for (var i = 0u; i < ELEMENTS; i++) {
    let at = nth_element(grid, lane, i);
    if (at >= params.rows * params.columns) {
      break;
    }
    out[at] = params.scale * x[at % params.columns];
  }
}
