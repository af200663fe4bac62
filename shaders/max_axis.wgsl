// out[o, i] = max over a of x[o, a, i], and the first a where it is. One workgroup of 64 per result.

// #include "reduce.wgsl"

struct Params {
  outer: u32,
  axis: u32,
  inner: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<storage, read_write> index: array<f32>;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let at = group_number(grid);
  if (at >= params.outer * params.inner) {
    return;
  }
  let first = (at / params.inner) * params.axis * params.inner + at % params.inner;
  // Every lane begins with element 0, so that no number is too small to be found.
  var best = x[first];
  var place = 0u;
  for (var a = lane; a < params.axis; a += LANES) {
    let value = x[first + a * params.inner];
    if (value > best) {
      best = value;
      place = a;
    }
  }
  let largest = reduce_max(lane, best);
  // The smallest of the places: the largest of their negatives.
  let nearest = -reduce_max(lane, select(-f32(params.axis), -f32(place), best == largest));
  if (lane == 0u) {
    out[at] = largest;
    index[at] = nearest;
  }
}
