// The convolution by subgroups: matmul_octets.wgsl on windows.

enable subgroups;

// #include "convolution_left.wgsl"
// #include "matmul_right.wgsl"
// #include "convolution_store.wgsl"
// #include "matmul_octets.wgsl"
