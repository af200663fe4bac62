// Layer normalisation of each row as in layer_norm.wgsl, with eight lanes to a row (subgroup_eight.wgsl), four columns at a time.
//
// Needs subgroups of at least 8, and columns that are a multiple of 4.

enable subgroups;
// All lanes of a subgroup take as many turns of the loops, but the compiler cannot infer that.
diagnostic(off, subgroup_uniformity);

// #include "grid.wgsl"
// #include "subgroup_eight.wgsl"

struct Params {
  rows: u32,
  columns: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> statistics: array<f32>;  // [rows, 2]: mean, rstd

override HAS_STATISTICS: bool = false;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let number = group_number(grid) * SHARERS + lane / SHARERS;
  let row = min(number, params.rows - 1u);
  let first = lane % SHARERS;
  let quads = params.columns / 4u;
  let at = row * quads;
  var sums: vec4<f32>;
  for (var c = first; c < quads; c += SHARERS) {
    sums += x[at + c];
  }
  let mean = sum_of_quads(sums) / f32(params.columns);
  var squares: vec4<f32>;
  for (var c = first; c < quads; c += SHARERS) {
    let centred = x[at + c] - mean;
    squares += centred * centred;
  }
  let rstd = 1.0 / sqrt(sum_of_quads(squares) / f32(params.columns) + params.epsilon);
  if (number >= params.rows) {
    return;
  }
  for (var c = first; c < quads; c += SHARERS) {
    out[at + c] = (x[at + c] - mean) * rstd * weight[c] + bias[c];
  }
  if (HAS_STATISTICS && first == 0u) {
    statistics[2u * row] = mean;
    statistics[2u * row + 1u] = rstd;
  }
}
