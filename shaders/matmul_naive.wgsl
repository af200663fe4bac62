// First rung of the ladder: one invocation computes one element of the result and reads both operands from memory.

// #include "matmul_scalar.wgsl"

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let column = id.x;
  let row = id.y;
  if (row >= params.m || column >= params.n) {
    return;
  }
  var sum = 0.0;
  for (var p = 0u; p < params.k; p++) {
    sum += a_at(row, p) * b_at(p, column);
  }
  store(row, column, sum);
}
