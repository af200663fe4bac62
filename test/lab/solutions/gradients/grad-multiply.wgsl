// Gradient of a product: out = a * b: grad_a = grad_out * b, grad_b = ...
//
//     npx ptdpc lab exercise grad-multiply --check <your copy>
//
// lab: covers 64

struct Params {
  length: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;  // [length]
@group(0) @binding(2) var<storage, read> b: array<f32>;  // [length]
@group(0) @binding(3) var<storage, read> grad_out: array<f32>;  // [length]
@group(0) @binding(4) var<storage, read_write> grad_a: array<f32>;  // [length]
@group(0) @binding(5) var<storage, read_write> grad_b: array<f32>;  // [length]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  if (i >= params.length) {
    return;
  }
  grad_a[i] = grad_out[i] * b[i];
  grad_b[i] = grad_out[i] * a[i];
}
