// matmul_blocks.wgsl with tiles in single precision.

// #include "matmul_quads.wgsl"
// #include "matmul_store_quads.wgsl"
// #include "matmul_blocks.wgsl"

alias Stored = f32;
