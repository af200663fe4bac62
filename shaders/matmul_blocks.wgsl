// Fourth rung, for hardware: tiles in workgroup memory as in matmul_tiled.wgsl, but every access moves four values, and an invocation
// computes 8 x 4 elements of the result. A step of k costs it three loads from workgroup memory for 32 multiply-adds; with 4 x 4
// elements and scalar loads it cost eight for sixteen.
//
// Both tiles lie along k: [SLICE][rows or columns], in quads. An operand that is stored along k is transposed as it is loaded, a quad
// becoming four values in four rows of the tile; one quad of padding behind each row of the tile spreads those stores over the banks.
// While a slice is multiplied, the next one is already being loaded into registers.
//
// With PARTS above 1, so many groups of invocations compute the same tile, each from every PARTS-th slice of k, and their sums are added in order at
// the end: for products with fewer tiles than keep a GPU busy. With one part, the sum runs along k in order, as in all variants before this one.
//
// `Stored` is what the tiles hold: f32 (matmul_singles.wgsl) or, in one part only, f16 (matmul_halves.wgsl). These include the operands and the epilogue:
// the left operand is read by `row_quad`, which need not find it in memory (convolution_blocks.wgsl).
//
// Needs k and n that are multiples of 4, and a left operand that is not transposed. Rows and columns past the edge read a clamped address and are
// not stored.

override TILE_ROWS: u32 = 128;    // of the result, per workgroup: 32, 64 or 128
override TILE_COLUMNS: u32 = 64;  // 32, 64 or 128
override SLICE: u32 = 16;         // depth of one slice along k: 8 or 16
override PARTS: u32 = 1;          // 1, 2, 4 or 8; if more than 1, the sums of a part must fit in a_tile
const BLOCK_ROWS = 8u;            // of the result, per invocation: two groups of 4, half per tile apart
const BLOCK_COLUMNS = 4u;

override SLICE_QUADS: u32 = SLICE / 4u;
override SIDE_X: u32 = TILE_COLUMNS / BLOCK_COLUMNS;  // invocations along the columns
override SIDE_Y: u32 = TILE_ROWS / BLOCK_ROWS;        // and along the rows
override INVOCATIONS: u32 = SIDE_X * SIDE_Y;          // of one part
override SHARE: u32 = BLOCK_ROWS / PARTS;             // rows of an invocation that one part stores
override A_STRIDE: u32 = TILE_ROWS / 4u + 1u;         // quads from one step of k to the next
override B_STRIDE: u32 = TILE_COLUMNS / 4u + 1u;
// Quads of a slice that one invocation loads: TILE_ROWS * SLICE / 4 by INVOCATIONS, and likewise for b. At most 4.
override A_QUADS: u32 = BLOCK_ROWS * SLICE / TILE_COLUMNS;
override B_QUADS: u32 = BLOCK_ROWS * SLICE / TILE_ROWS;

// Each part has its own slice.
var<workgroup> a_tile: array<vec4<Stored>, PARTS * SLICE * A_STRIDE>;
var<workgroup> b_tile: array<vec4<Stored>, PARTS * SLICE * B_STRIDE>;

// Quad `at` of the slice of a at k0: quads along k first, then rows. `start` is that of its row, which is the same in every slice.
fn load_a(start: RowStart, k0: u32, at: u32) -> vec4<f32> {
  let p = k0 + at % SLICE_QUADS * 4u;
  if (p >= params.k) {
    return vec4<f32>();
  }
  return row_quad(start, place_of(p / 4u));
}

// Quad `at` of the slice of b at k0: along k first as for a, if b is stored along k; else along the columns first.
fn load_b(column0: u32, k0: u32, at: u32) -> vec4<f32> {
  if (TRANSPOSE_B) {
    let p = k0 + at % SLICE_QUADS * 4u;
    if (p >= params.k) {
      return vec4<f32>();
    }
    let column = min(column0 + at / SLICE_QUADS, params.n - 1u);
    return b_quad((column * params.k + p) / 4u);
  }
  let p = k0 + at / (TILE_COLUMNS / 4u);
  if (p >= params.k) {
    return vec4<f32>();
  }
  let column = min(column0 + at % (TILE_COLUMNS / 4u) * 4u, params.n - 4u);
  return b_quad((p * params.n + column) / 4u);
}

fn keep_a(tile: u32, at: u32, quad: vec4<f32>) {
  let lane = at / SLICE_QUADS;
  let to = tile + at % SLICE_QUADS * 4u * A_STRIDE + lane / 4u;
  a_tile[to][lane % 4u] = Stored(quad.x);
  a_tile[to + A_STRIDE][lane % 4u] = Stored(quad.y);
  a_tile[to + 2u * A_STRIDE][lane % 4u] = Stored(quad.z);
  a_tile[to + 3u * A_STRIDE][lane % 4u] = Stored(quad.w);
}

fn keep_b(tile: u32, at: u32, quad: vec4<f32>) {
  if (TRANSPOSE_B) {
    let lane = at / SLICE_QUADS;
    let to = tile + at % SLICE_QUADS * 4u * B_STRIDE + lane / 4u;
    b_tile[to][lane % 4u] = Stored(quad.x);
    b_tile[to + B_STRIDE][lane % 4u] = Stored(quad.y);
    b_tile[to + 2u * B_STRIDE][lane % 4u] = Stored(quad.z);
    b_tile[to + 3u * B_STRIDE][lane % 4u] = Stored(quad.w);
    return;
  }
  b_tile[tile + at / (TILE_COLUMNS / 4u) * B_STRIDE + at % (TILE_COLUMNS / 4u)] = vec4<Stored>(quad);
}

@compute @workgroup_size(SIDE_X, SIDE_Y, PARTS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let row0 = group.y * TILE_ROWS;
  let column0 = group.x * TILE_COLUMNS;
  let index = local.y * SIDE_X + local.x;
  let a_own = local.z * SLICE * A_STRIDE;
  let b_own = local.z * SLICE * B_STRIDE;
  let ahead = local.z * SLICE;
  var sum: array<vec4<f32>, BLOCK_ROWS>;
  var next_a: array<vec4<f32>, 4>;
  var next_b: array<vec4<f32>, 4>;
  var a_start: array<RowStart, 4>;
  for (var i = 0u; i < A_QUADS; i++) {
    a_start[i] = row_start(min(row0 + (index + i * INVOCATIONS) / SLICE_QUADS, params.m - 1u));
    next_a[i] = load_a(a_start[i], ahead, index + i * INVOCATIONS);
  }
  for (var i = 0u; i < B_QUADS; i++) {
    next_b[i] = load_b(column0, ahead, index + i * INVOCATIONS);
  }

  for (var k0 = 0u; k0 < params.k; k0 += PARTS * SLICE) {
    for (var i = 0u; i < A_QUADS; i++) {
      keep_a(a_own, index + i * INVOCATIONS, next_a[i]);
    }
    for (var i = 0u; i < B_QUADS; i++) {
      keep_b(b_own, index + i * INVOCATIONS, next_b[i]);
    }
    workgroupBarrier();
    let next = k0 + PARTS * SLICE + ahead;
    for (var i = 0u; i < A_QUADS; i++) {
      next_a[i] = load_a(a_start[i], next, index + i * INVOCATIONS);
    }
    for (var i = 0u; i < B_QUADS; i++) {
      next_b[i] = load_b(column0, next, index + i * INVOCATIONS);
    }
    for (var p = 0u; p < SLICE; p++) {
      let upper = vec4<f32>(a_tile[a_own + p * A_STRIDE + local.y]);
      let lower = vec4<f32>(a_tile[a_own + p * A_STRIDE + SIDE_Y + local.y]);
      let right = vec4<f32>(b_tile[b_own + p * B_STRIDE + local.x]);
      sum[0] += upper.x * right;
      sum[1] += upper.y * right;
      sum[2] += upper.z * right;
      sum[3] += upper.w * right;
      sum[4] += lower.x * right;
      sum[5] += lower.y * right;
      sum[6] += lower.z * right;
      sum[7] += lower.w * right;
    }
    workgroupBarrier();
  }

  // The sums of SHARE rows at a time, by the memory of the slices; each part keeps and stores those of its own rows. By `select`, since a branch around
  // all this takes llvmpipe seconds to compile.
  if (PARTS > 1u) {
    for (var part = 0u; part < PARTS; part++) {
      for (var i = 0u; i < SHARE; i++) {
        a_tile[(i * PARTS + local.z) * INVOCATIONS + index] = vec4<Stored>(sum[part * SHARE + i]);
      }
      workgroupBarrier();
      for (var i = 0u; i < SHARE; i++) {
        var total = vec4<f32>(a_tile[i * PARTS * INVOCATIONS + index]);
        for (var other = 1u; other < PARTS; other++) {
          total += vec4<f32>(a_tile[(i * PARTS + other) * INVOCATIONS + index]);
        }
        // The sum that stood here was the first to be handed over.
        sum[i] = select(sum[i], total, local.z == part);
      }
      workgroupBarrier();
    }
  }

  let quad = column0 / 4u + local.x;
  if (quad < params.n / 4u) {
    for (var own = 0u; own < SHARE; own++) {
      let i = local.z * SHARE + own;
      let row = row0 + local.y * 4u + i % 4u + i / 4u * (TILE_ROWS / 2u);
      if (row < params.m) {
        store_quad(row, quad, sum[own]);
      }
    }
  }
}
