// Gradients add up: grad[i] += scale * grad_out[i]
//
//     npx ptdpc lab exercise accumulate --check <your copy>
//
// lab: covers 64

struct Params {
  length: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> grad_out: array<f32>;  // [length]
@group(0) @binding(2) var<storage, read_write> grad: array<f32>;  // [length]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  if (i >= params.length) {
    return;
  }
  grad[i] = params.scale * grad_out[i];
}
