// out[out_offset + i . out_stride] = x[x_offset + i . x_stride] for all i = (i0, i1, i2, i3). Four elements per invocation.

// #include "grid.wgsl"

struct Params {
  count: u32,
  size1: u32,
  size2: u32,
  size3: u32,
  x_offset: u32,
  x_stride0: u32,
  x_stride1: u32,
  x_stride2: u32,
  x_stride3: u32,
  out_offset: u32,
  out_stride0: u32,
  out_stride1: u32,
  out_stride2: u32,
  out_stride3: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  for (var i = 0u; i < ELEMENTS; i++) {
    let at = nth_element(grid, lane, i);
    if (at >= params.count) {
      break;
    }
    let i3 = at % params.size3;
    let i2 = (at / params.size3) % params.size2;
    let i1 = (at / (params.size3 * params.size2)) % params.size1;
    let i0 = at / (params.size3 * params.size2 * params.size1);
    let x_at = params.x_offset + i0 * params.x_stride0 + i1 * params.x_stride1 + i2 * params.x_stride2
      + i3 * params.x_stride3;
    let out_at = params.out_offset + i0 * params.out_stride0 + i1 * params.out_stride1 + i2 * params.out_stride2
      + i3 * params.out_stride3;
    out[out_at] = x[x_at];
  }
}
