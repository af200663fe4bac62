// The operands of the matrix product four values at a time.

// #include "matmul_left.wgsl"
// #include "matmul_right.wgsl"
