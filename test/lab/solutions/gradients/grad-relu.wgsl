// Gradient of a positive part: out = max(x, 0): grad_x = grad_out where x > 0, else 0
//
//     npx ptdpc lab exercise grad-relu --check <your copy>
//
// lab: covers 64

struct Params {
  length: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;  // [length]
@group(0) @binding(2) var<storage, read> grad_out: array<f32>;  // [length]
@group(0) @binding(3) var<storage, read_write> grad_x: array<f32>;  // [length]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  if (i >= params.length) {
    return;
  }
  grad_x[i] = select(0.0, grad_out[i], x[i] > 0.0);
}
