// The convolution in tiles: matmul_blocks.wgsl on windows.

// #include "convolution_left.wgsl"
// #include "matmul_right.wgsl"
// #include "convolution_store_quads.wgsl"
// #include "matmul_blocks.wgsl"

alias Stored = f32;
