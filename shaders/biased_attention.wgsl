// Attention with a bias for each head and pair of rows, among the rows of each image: one workgroup of 64 computes one query row of one head,
// 64 keys at a time, as attention.wgsl does, with the running maximum and denominator of online softmax (Milakov and Gimelshein, 2018).

// #include "biased_attention_common.wgsl"
// #include "reduce.wgsl"

@group(0) @binding(1) var<storage, read> qkv: array<f32>;   // [images * rows, 3 * heads * head_width]
@group(0) @binding(2) var<storage, read> bias: array<f32>;  // [heads, rows, rows]
@group(0) @binding(3) var<storage, read_write> out: array<f32>;  // [images * rows, heads * head_width]

var<workgroup> probability: array<f32, 64>;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let number = group_number(grid);
  if (number >= query_count()) {
    return;
  }
  let group = number / params.rows;
  let query = number % params.rows;
  let width = params.heads * params.head_width;
  let column = group % params.heads * params.head_width;
  let first = first_row(group);
  let q_at = (first + query) * 3u * width + column;
  let own_bias = bias_at(group, query);

  var largest = -3.0e38;
  var denominator = 0.0;
  var sum = vec2<f32>(0.0);  // columns `lane` and `lane + 64` of the output
  for (var start = 0u; start < params.rows; start += LANES) {
    let members = min(LANES, params.rows - start);
    var score = -3.0e38;
    if (lane < members) {
      let k_at = (first + start + lane) * 3u * width + width + column;
      score = 0.0;
      for (var c = 0u; c < params.head_width; c++) {
        score += qkv[q_at + c] * qkv[k_at + c];
      }
      score = score * params.scale + bias[own_bias + start + lane];
    }
    let round_largest = max(largest, reduce_max(lane, score));
    let p = select(0.0, exp(score - round_largest), lane < members);
    let rescale = exp(largest - round_largest);
    denominator = denominator * rescale + reduce_sum(lane, p);
    largest = round_largest;
    probability[lane] = p;
    workgroupBarrier();

    sum *= rescale;
    for (var t = 0u; t < members; t++) {
      let v_at = (first + start + t) * 3u * width + 2u * width + column;
      if (lane < params.head_width) {
        sum.x += probability[t] * qkv[v_at + lane];
      }
      if (lane + LANES < params.head_width) {
        sum.y += probability[t] * qkv[v_at + lane + LANES];
      }
    }
    workgroupBarrier();
  }

  let out_at = (first + query) * width + column;
  if (lane < params.head_width) {
    out[out_at + lane] = sum.x / denominator;
  }
  if (lane + LANES < params.head_width) {
    out[out_at + lane + LANES] = sum.y / denominator;
  }
}
