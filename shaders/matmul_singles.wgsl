// matmul_blocks.wgsl with tiles in single precision.

// #include "matmul_blocks.wgsl"

alias Stored = f32;
