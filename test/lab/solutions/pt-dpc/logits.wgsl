// Logits: out[b, i] = exp(logit_scale) * f[b] . t[i], f and t of length one
//
//     npx ptdpc lab exercise logits --check <your copy>
//
// lab: covers 8 x 8

struct Params {
  batch: u32,
  classes: u32,
  width: u32,
  logit_scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> f: array<f32>;  // [batch, width]
@group(0) @binding(2) var<storage, read> t: array<f32>;  // [classes, width]
@group(0) @binding(3) var<storage, read_write> out: array<f32>;  // [batch, classes]

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.y;
  let column = id.x;
  if (row >= params.batch || column >= params.classes) {
    return;
  }
  var sum = 0.0;
  for (var d = 0u; d < params.width; d++) {
    sum += f[row * params.width + d] * t[column * params.width + d];
  }
  out[row * params.classes + column] = exp(params.logit_scale) * sum;
}
