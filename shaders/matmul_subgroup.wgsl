// The matrix product by subgroups: see matmul_octets.wgsl.

enable subgroups;

// #include "matmul_quads.wgsl"
// #include "matmul_store.wgsl"
// #include "matmul_octets.wgsl"
