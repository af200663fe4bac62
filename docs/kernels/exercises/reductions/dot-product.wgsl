// Dot product: out[row] = sum of a[row, ...] * b[row, ...]
//
//     npx ptdpc lab exercise dot-product --check <your copy>
//
// lab: covers 1

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;  // [rows, columns]
@group(0) @binding(2) var<storage, read> b: array<f32>;  // [rows, columns]
@group(0) @binding(3) var<storage, read_write> out: array<f32>;  // [rows]

var<workgroup> scratch: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.x;
  var sum = 0.0;
  sum = a[row * params.columns + lane] * b[row * params.columns + lane];
  scratch[lane] = sum;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (lane < half) {
      scratch[lane] += scratch[lane + half];
    }
    workgroupBarrier();
  }
  if (lane == 0u) {
    out[row] = scratch[0];
  }
}
