// Images [batch, size, size], a pixel in a word (red in its lowest byte, then green, then blue), into rows of patches
// [batch * grid * grid, 3 * patch * patch] as patch_rows.wgsl orders them. values[channel][byte] is what a byte stands for.
// One invocation per element.

// #include "grid.wgsl"

struct Params {
  batch: u32,
  size: u32,
  patch_size: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> pictures: array<i32>;
@group(0) @binding(2) var<storage, read> values: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let at = element_number(grid, lane);
  let size = params.size;
  let patch_size = params.patch_size;
  let side = size / patch_size;
  let columns = 3u * patch_size * patch_size;
  if (at >= params.batch * side * side * columns) {
    return;
  }
  let row = at / columns;
  let x = at % patch_size;
  let y = (at / patch_size) % patch_size;
  let channel = (at % columns) / (patch_size * patch_size);
  let picture = row / (side * side);
  let patch_y = (row / side) % side;
  let patch_x = row % side;
  let pixel = bitcast<u32>(pictures[(picture * size + patch_y * patch_size + y) * size + patch_x * patch_size + x]);
  out[at] = values[256u * channel + ((pixel >> (8u * channel)) & 255u)];
}
