// out[o, i] = scale * sum over a of x[o, a, i]. One workgroup of 64 per result.

// #include "reduce.wgsl"

struct Params {
  outer: u32,
  axis: u32,
  inner: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let at = group_number(grid);
  if (at >= params.outer * params.inner) {
    return;
  }
  let first = (at / params.inner) * params.axis * params.inner + at % params.inner;
  var sum = 0.0;
  for (var a = lane; a < params.axis; a += LANES) {
    sum += x[first + a * params.inner];
  }
  sum = reduce_sum(lane, sum);
  if (lane == 0u) {
    out[at] = params.scale * sum;
  }
}
