// Images [batch, 3, size, size] into rows of patches: see patch_common.wgsl. Four elements per invocation.

// #include "patch_common.wgsl"

@group(0) @binding(1) var<storage, read> pixels: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  for (var i = 0u; i < ELEMENTS; i++) {
    let at = nth_element(grid, lane, i);
    if (at >= element_count()) {
      break;
    }
    let source = pixel_of(at);
    out[at] = pixels[((source.picture * 3u + source.channel) * params.size + source.y) * params.size + source.x];
  }
}
