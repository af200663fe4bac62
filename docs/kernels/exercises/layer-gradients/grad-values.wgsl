// Gradient of attention by its values: out = p v: grad_v[key] = sum over queries of p[query, key] * grad_out[query]
//
//     npx ptdpc lab exercise grad-values --check <your copy>
//
// lab: covers 8 x 8

struct Params {
  queries: u32,
  keys: u32,
  width: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> p: array<f32>;  // [queries, keys]
@group(0) @binding(2) var<storage, read> grad_out: array<f32>;  // [queries, width]
@group(0) @binding(3) var<storage, read_write> grad_v: array<f32>;  // [keys, width]

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let key = id.y;
  let column = id.x;
  if (key >= params.keys || column >= params.width) {
    return;
  }
  var sum = 0.0;
  // Each query that looked at this key sends its gradient back, by its weight.
  grad_v[key * params.width + column] = sum;
}
