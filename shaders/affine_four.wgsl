// out = scale * x + shift + addend, four elements per invocation.

// #include "grid.wgsl"

struct Params {
  length: u32,
  scale: f32,
  shift: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> addend: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

override HAS_ADDEND: bool = false;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  for (var i = 0u; i < ELEMENTS; i++) {
    let at = nth_element(grid, lane, i);
    if (at >= params.length) {
      break;
    }
    var value = params.scale * x[at] + params.shift;
    if (HAS_ADDEND) {
      value += addend[at];
    }
    out[at] = value;
  }
}
