// Attention in one pass: out[query] = sum over keys of softmax(q[query] . k)[key] * v[key], without storing scores
//
//     npx ptdpc lab exercise one-pass --check <your copy>
//
// lab: covers 64

struct Params {
  rows: u32,
  keys: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<f32>;  // [rows, 8]
@group(0) @binding(2) var<storage, read> k: array<f32>;  // [keys, 8]
@group(0) @binding(3) var<storage, read> v: array<f32>;  // [keys, 8]
@group(0) @binding(4) var<storage, read_write> out: array<f32>;  // [rows, 8]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.x;
  if (row >= params.rows) {
    return;
  }
  var most = -3.0e38;
  var total = 0.0;
  var sums: array<f32, 8>;
  for (var key = 0u; key < params.keys; key++) {
    var score = 0.0;
    for (var d = 0u; d < 8u; d++) {
      score += q[row * 8u + d] * k[key * 8u + d];
    }
    let next = max(most, score);
    let keep = exp(most - next);
    let weight = exp(score - next);
    total = total * keep + weight;
    for (var d = 0u; d < 8u; d++) {
      sums[d] = sums[d] * keep + weight * v[key * 8u + d];
    }
    most = next;
  }
  for (var d = 0u; d < 8u; d++) {
    out[row * 8u + d] = sums[d] / total;
  }
}
