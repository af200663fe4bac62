// matmul_matrices.wgsl in single precision: matrices of 8 x 8.

requires subgroup_id;
enable subgroups;
enable chromium_experimental_subgroup_matrix;

// #include "matmul_quads.wgsl"
// #include "matmul_store_quads.wgsl"
// #include "matmul_matrices.wgsl"

alias Stored = f32;
const SIDE = 8u;
alias Left = subgroup_matrix_left<f32, 8, 8>;
alias Right = subgroup_matrix_right<f32, 8, 8>;
alias Sums = subgroup_matrix_result<f32, 8, 8>;
