// matmul_blocks.wgsl with tiles in half precision: half the workgroup memory and half the traffic there. The right operand's halves stay as they are;
// the left operand is rounded to halves, by 2^-11 of each number or, where a device rounds towards zero, 2^-10, and what is beyond 65,504
// becomes infinite. The product of two halves is exact in single precision, in which sums are kept: what a GPU with mixed multiply-adds does in
// one instruction.

enable f16;

// #include "matmul_quads.wgsl"
// #include "matmul_store_quads.wgsl"
// #include "matmul_blocks.wgsl"

alias Stored = f16;
