// The last rung for hardware: products of small matrices, which a subgroup holds together and multiplies in one instruction (Apple's simdgroup matrices,
// NVIDIA's tensor cores). A workgroup computes 64 x 64 elements of the result. Slices of both operands pass through workgroup memory as in
// matmul_blocks.wgsl; a subgroup loads its matrices from there, and its sums stay in 32 x 32 elements of its own.
//
// How many subgroups a workgroup has depends on the device. Each round computes as many of the four patches as there are subgroups: one round with
// four of 32 lanes, two with two of 64. Subgroups without a patch repeat the last one, since no barrier may be left out, and store nothing.
//
// The last step goes back through workgroup memory, a band of SIDE rows of each patch at a time: lanes do not know which elements of a matrix they hold,
// and the epilogue works on elements.
//
// `Stored`, `SIDE`, `Left`, `Right` and `Sums` are declared by whoever includes this, who has enabled the extension, and included the operands and the epilogue.
// Needs k and n that are multiples of 4, and a left operand that is not transposed. Rows and columns past the edge read a clamped address and are
// not stored; past the end of k both operands are 0.

const TILE = 64u;         // rows and columns of the result per workgroup
const PATCH = 32u;        // and per subgroup
const PATCHES = 4u;
const SLICE = 16u;        // depth of one slice along k
const INVOCATIONS = 128u; // a multiple of every subgroup size
const SPAN = PATCH / SIDE;

// One row of the tile after the other, padded so that the rows of a matrix begin in different banks.
const ALONG_K = SLICE + 4u;
const ALONG_N = TILE + 4u;

var<workgroup> a_tile: array<Stored, 1280>;  // [TILE][ALONG_K]
var<workgroup> b_tile: array<Stored, 1280>;  // as b is stored: [TILE][ALONG_K], or [SLICE][ALONG_N]
var<workgroup> band: array<f32, PATCHES * SIDE * PATCH>;

fn keep_a(at: u32, quad: vec4<f32>) {
  let to = at / (SLICE / 4u) * ALONG_K + at % (SLICE / 4u) * 4u;
  a_tile[to] = Stored(quad.x);
  a_tile[to + 1u] = Stored(quad.y);
  a_tile[to + 2u] = Stored(quad.z);
  a_tile[to + 3u] = Stored(quad.w);
}

fn keep_b(to: u32, quad: vec4<f32>) {
  b_tile[to] = Stored(quad.x);
  b_tile[to + 1u] = Stored(quad.y);
  b_tile[to + 2u] = Stored(quad.z);
  b_tile[to + 3u] = Stored(quad.w);
}

// The slices at k0, 256 quads of each operand by 128 invocations.
fn keep_slices(row0: u32, column0: u32, k0: u32, index: u32) {
  for (var at = index; at < TILE * SLICE / 4u; at += INVOCATIONS) {
    let p = k0 + at % (SLICE / 4u) * 4u;
    let row = min(row0 + at / (SLICE / 4u), params.m - 1u);
    var quad = vec4<f32>();
    if (p < params.k) {
      quad = row_quad(row_start(row), place_of(p / 4u));
    }
    keep_a(at, quad);

    quad = vec4<f32>();
    if (TRANSPOSE_B) {
      let column = min(column0 + at / (SLICE / 4u), params.n - 1u);
      if (p < params.k) {
        quad = b_quad((column * params.k + p) / 4u);
      }
      keep_b(at / (SLICE / 4u) * ALONG_K + at % (SLICE / 4u) * 4u, quad);
    } else {
      let step = at / (TILE / 4u);
      let column = min(column0 + at % (TILE / 4u) * 4u, params.n - 4u);
      if (k0 + step < params.k) {
        quad = b_quad(((k0 + step) * params.n + column) / 4u);
      }
      keep_b(step * ALONG_N + at % (TILE / 4u) * 4u, quad);
    }
  }
}

@compute @workgroup_size(INVOCATIONS)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(num_subgroups) subgroups: u32,
) {
  let row0 = group.y * TILE;
  let column0 = group.x * TILE;
  for (var first = 0u; first < PATCHES; first += subgroups) {
    let patch_index = min(first + subgroup, PATCHES - 1u);
    let patch_row = patch_index / 2u * PATCH;
    let patch_column = patch_index % 2u * PATCH;
    var sums: array<array<Sums, SPAN>, SPAN>;

    for (var k0 = 0u; k0 < params.k; k0 += SLICE) {
      keep_slices(row0, column0, k0, index);
      workgroupBarrier();
      for (var p = 0u; p < SLICE; p += SIDE) {
        var right: array<Right, SPAN>;
        for (var j = 0u; j < SPAN; j++) {
          let column = patch_column + j * SIDE;
          if (TRANSPOSE_B) {
            right[j] = subgroupMatrixLoad<Right, col_major>(&b_tile, column * ALONG_K + p, ALONG_K);
          } else {
            right[j] = subgroupMatrixLoad<Right, row_major>(&b_tile, p * ALONG_N + column, ALONG_N);
          }
        }
        for (var i = 0u; i < SPAN; i++) {
          let left = subgroupMatrixLoad<Left, row_major>(&a_tile, (patch_row + i * SIDE) * ALONG_K + p, ALONG_K);
          for (var j = 0u; j < SPAN; j++) {
            sums[i][j] = subgroupMatrixMultiplyAccumulate(left, right[j], sums[i][j]);
          }
        }
      }
      workgroupBarrier();
    }

    for (var i = 0u; i < SPAN; i++) {
      if (first + subgroup < PATCHES) {
        for (var j = 0u; j < SPAN; j++) {
          subgroupMatrixStore<row_major>(&band, patch_index * SIDE * PATCH + j * SIDE, sums[i][j], PATCH);
        }
      }
      workgroupBarrier();
      for (var at = index; at < PATCHES * SIDE * PATCH / 4u; at += INVOCATIONS) {
        let from_patch = at / (SIDE * PATCH / 4u);
        let row = row0 + from_patch / 2u * PATCH + i * SIDE + at / (PATCH / 4u) % SIDE;
        let quad = (column0 + from_patch % 2u * PATCH) / 4u + at % (PATCH / 4u);
        if (from_patch >= first && from_patch < first + subgroups && row < params.m && quad < params.n / 4u) {
          store_quad(row, quad, vec4<f32>(band[4u * at], band[4u * at + 1u], band[4u * at + 2u], band[4u * at + 3u]));
        }
      }
      workgroupBarrier();
    }
  }
}
