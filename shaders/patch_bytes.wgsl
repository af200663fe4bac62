// Images [batch, size, size], a pixel in a word (red in its lowest byte, then green, then blue), into rows of patches: see patch_common.wgsl.
// values[channel][byte] is what a byte stands for. Four elements per invocation.

// #include "patch_common.wgsl"

@group(0) @binding(1) var<storage, read> pictures: array<i32>;
@group(0) @binding(2) var<storage, read> values: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  for (var i = 0u; i < ELEMENTS; i++) {
    let at = nth_element(grid, lane, i);
    if (at >= element_count()) {
      break;
    }
    let source = pixel_of(at);
    let pixel = bitcast<u32>(pictures[(source.picture * params.size + source.y) * params.size + source.x]);
    out[at] = values[256u * source.channel + ((pixel >> (8u * source.channel)) & 255u)];
  }
}
