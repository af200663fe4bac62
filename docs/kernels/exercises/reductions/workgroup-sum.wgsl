// A workgroup adds up: out[row] = sum of x[row, ...], 64 invocations to a row
//
//     npx ptdpc lab exercise workgroup-sum --check <your copy>
//
// lab: covers 1

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;  // [rows, columns]
@group(0) @binding(2) var<storage, read_write> out: array<f32>;  // [rows]

var<workgroup> scratch: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.x;
  var sum = 0.0;
  for (var c = lane; c < params.columns; c += 64u) {
    sum += x[row * params.columns + c];
  }
  scratch[lane] = sum;
  // Add up the 64 numbers of scratch.
  if (lane == 0u) {
    out[row] = scratch[0];
  }
}
