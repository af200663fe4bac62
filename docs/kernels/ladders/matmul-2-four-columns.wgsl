// Matrix product, second rung: one invocation computes four columns of a row, so that a value of the left operand, once loaded,
// is used in four sums. Five loads for four products instead of two for one.
//
// The columns are 16 apart: adjacent invocations read adjacent values. Without epilogues, for brevity.
//
// lab: covers 16 x 64

struct Params {
  m: u32,
  n: u32,
  k: u32,
  alpha: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;          // [m, k], or [k, m] where TRANSPOSE_A
@group(0) @binding(2) var<storage, read> b: array<f32>;          // [k, n], or [n, k] where TRANSPOSE_B
@group(0) @binding(3) var<storage, read_write> out: array<f32>;  // [m, n]

override TRANSPOSE_A: bool = false;
override TRANSPOSE_B: bool = false;

fn a_at(row: u32, p: u32) -> f32 {
  return a[select(row * params.k + p, p * params.m + row, TRANSPOSE_A)];
}

fn b_at(p: u32, column: u32) -> f32 {
  return b[select(p * params.n + column, column * params.k + p, TRANSPOSE_B)];
}

@compute @workgroup_size(16, 16)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let row = group.y * 16u + local.y;
  let column = group.x * 64u + local.x;
  if (row >= params.m) {
    return;
  }
  // Past the last column: the last one again, not stored.
  let last = params.n - 1u;
  let columns = min(vec4<u32>(column, column + 16u, column + 32u, column + 48u), vec4<u32>(last));
  var sum = vec4<f32>();
  for (var p = 0u; p < params.k; p++) {
    sum += a_at(row, p) * vec4<f32>(b_at(p, columns.x), b_at(p, columns.y), b_at(p, columns.z), b_at(p, columns.w));
  }
  for (var j = 0u; j < 4u; j++) {
    if (column + 16u * j < params.n) {
      out[row * params.n + column + 16u * j] = params.alpha * sum[j];
    }
  }
}
