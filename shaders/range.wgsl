// Smallest and largest finite number of a tensor, how many are not finite, and the place of the first of these or -1. One workgroup for all: it is
// for checks. Told by the exponent's bits, since a compiler may assume that no number is NaN.

// #include "reduce.wgsl"

struct Params {
  length: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

const EXPONENT = 0x7f800000u;
const EMPTY = 3.0e38;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
  var smallest = EMPTY;
  var largest = -EMPTY;
  var bad = 0.0;
  var first = EMPTY;
  for (var i = lane; i < params.length; i += LANES) {
    let bits = x[i];
    if ((bits & EXPONENT) == EXPONENT) {
      bad += 1.0;
      first = min(first, f32(i));
    } else {
      smallest = min(smallest, bitcast<f32>(bits));
      largest = max(largest, bitcast<f32>(bits));
    }
  }
  smallest = -reduce_max(lane, -smallest);
  largest = reduce_max(lane, largest);
  bad = reduce_sum(lane, bad);
  first = -reduce_max(lane, -first);
  if (lane == 0u) {
    out[0] = smallest;
    out[1] = largest;
    out[2] = bad;
    out[3] = select(first, -1.0, bad == 0.0);
  }
}
