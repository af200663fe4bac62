// Double every number: out[i] = 2 * x[i]
//
//     npx ptdpc lab exercise double --check <your copy>
//
// lab: covers 64

struct Params {
  length: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;  // [length]
@group(0) @binding(2) var<storage, read_write> out: array<f32>;  // [length]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  if (i >= params.length) {
    return;
  }
  // Your line.
}
