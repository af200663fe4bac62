// Gradient of a cosine: c[t] = cosine of f and p[t]: grad_p[t] = grad[t] * (f / (|f| |p|) - c * p / |p|^2)
//
//     npx ptdpc lab exercise grad-cosine --check <your copy>
//
// lab: covers 64

struct Params {
  rows: u32,
  width: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> f: array<f32>;  // [width]
@group(0) @binding(2) var<storage, read> p: array<f32>;  // [rows, width]
@group(0) @binding(3) var<storage, read> grad: array<f32>;  // [rows]
@group(0) @binding(4) var<storage, read_write> grad_p: array<f32>;  // [rows, width]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.x;
  if (row >= params.rows) {
    return;
  }
  let at = row * params.width;
  var along = 0.0;
  var ff = 0.0;
  var pp = 0.0;
  for (var d = 0u; d < params.width; d++) {
    along += f[d] * p[at + d];
    ff += f[d] * f[d];
    pp += p[at + d] * p[at + d];
  }
  let factor = inverseSqrt(ff * pp);
  for (var d = 0u; d < params.width; d++) {
    grad_p[at + d] = grad[row] * factor * f[d];
  }
}
