// Sum and maximum over a workgroup of 64 invocations, by halving in workgroup memory. Every invocation receives the
// result. The barrier after the read keeps the next call from overwriting what a slow invocation still reads.

// #include "grid.wgsl"

var<workgroup> reduce_scratch: array<f32, LANES>;

fn reduce_sum(lane: u32, value: f32) -> f32 {
  reduce_scratch[lane] = value;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      reduce_scratch[lane] += reduce_scratch[lane + half];
    }
    workgroupBarrier();
  }
  let result = reduce_scratch[0];
  workgroupBarrier();
  return result;
}

fn reduce_max(lane: u32, value: f32) -> f32 {
  reduce_scratch[lane] = value;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      reduce_scratch[lane] = max(reduce_scratch[lane], reduce_scratch[lane + half]);
    }
    workgroupBarrier();
  }
  let result = reduce_scratch[0];
  workgroupBarrier();
  return result;
}
