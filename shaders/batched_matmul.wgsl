// out[b, i, j] = sum over p of a[b, i, p] * b[b, p, j]. One invocation per element.

// #include "grid.wgsl"

struct Params {
  batch: u32,
  m: u32,
  n: u32,
  k: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let at = element_number(grid, lane);
  if (at >= params.batch * params.m * params.n) {
    return;
  }
  let row = at / params.n;
  let b_at = (row / params.m) * params.k * params.n + at % params.n;
  var sum = 0.0;
  for (var p = 0u; p < params.k; p++) {
    sum += a[row * params.k + p] * b[b_at + p * params.n];
  }
  out[at] = sum;
}
