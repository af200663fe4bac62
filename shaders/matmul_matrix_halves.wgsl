// matmul_matrices.wgsl with operands in half precision and sums in single: matrices of 16 x 16. The left operand is rounded as in matmul_halves.wgsl.

requires subgroup_id;
enable subgroups;
enable f16;
enable chromium_experimental_subgroup_matrix;

// #include "matmul_quads.wgsl"
// #include "matmul_store_quads.wgsl"
// #include "matmul_matrices.wgsl"

alias Stored = f16;
const SIDE = 16u;
alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
alias Sums = subgroup_matrix_result<f32, 16, 16>;
