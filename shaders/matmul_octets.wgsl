// Rung of the ladder for adapters whose instructions, not whose memory, are the limit (software ones above all). A load by
// which lanes read different addresses costs such an adapter as much as sixty vector products, so a subgroup of 8 computes a
// tile as large as its stack can hold: 32 rows x 64 columns, 8 columns per lane. k advances by eight at a time. Each lane loads
// the left operand's values for every eighth row; the others get them by broadcast.
//
// Needs subgroups of at least 8, k and n that are multiples of 8, and a left operand that is not transposed.
// Rows and columns past the edge read a clamped address and are not stored; no lane may leave early, since all take part in
// the broadcasts.
//
// Whoever includes this has enabled subgroups and included the operands and the epilogue. The left operand is read by `row_quad`, which need not find it in
// memory (convolution_subgroup.wgsl).

const ROWS = 32u;
const LANES = 32u;

// Four columns of the right operand at four steps of k.
struct Block {
  k0: vec4<f32>,
  k1: vec4<f32>,
  k2: vec4<f32>,
  k3: vec4<f32>,
}

// A lane's eight columns at eight steps of k.
struct Slab {
  left_low: Block,   // columns 0 to 3, steps 0 to 3
  right_low: Block,  // columns 4 to 7
  left_high: Block,  // steps 4 to 7
  right_high: Block,
}

// Four columns, each with four steps of k, as a block.
fn transposed(c0: vec4<f32>, c1: vec4<f32>, c2: vec4<f32>, c3: vec4<f32>) -> Block {
  return Block(
    vec4<f32>(c0.x, c1.x, c2.x, c3.x),
    vec4<f32>(c0.y, c1.y, c2.y, c3.y),
    vec4<f32>(c0.z, c1.z, c2.z, c3.z),
    vec4<f32>(c0.w, c1.w, c2.w, c3.w),
  );
}

fn numbers(words: vec4<u32>) -> vec4<f32> {
  return bitcast<vec4<f32>>(words);
}

fn low_numbers(packed: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(unpack2x16float(packed.x), unpack2x16float(packed.y));
}

fn high_numbers(packed: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(unpack2x16float(packed.z), unpack2x16float(packed.w));
}

// Columns 8 * octet to 8 * octet + 7 at steps 8 * p to 8 * p + 7 of k.
fn load_slab(p: u32, octet: u32) -> Slab {
  if (HALF_B) {
    return half_slab(p, octet);
  }
  if (TRANSPOSE_B) {
    let stride = params.k / 4u;
    let at = octet * 8u * stride + 2u * p;
    let next = at + 4u * stride;
    return Slab(
      transposed(numbers(b[at]), numbers(b[at + stride]), numbers(b[at + 2u * stride]), numbers(b[at + 3u * stride])),
      transposed(numbers(b[next]), numbers(b[next + stride]), numbers(b[next + 2u * stride]), numbers(b[next + 3u * stride])),
      transposed(numbers(b[at + 1u]), numbers(b[at + stride + 1u]), numbers(b[at + 2u * stride + 1u]), numbers(b[at + 3u * stride + 1u])),
      transposed(numbers(b[next + 1u]), numbers(b[next + stride + 1u]), numbers(b[next + 2u * stride + 1u]), numbers(b[next + 3u * stride + 1u])),
    );
  }
  let stride = params.n / 4u;
  let at = p * 8u * stride + 2u * octet;
  let next = at + 4u * stride;
  return Slab(
    Block(numbers(b[at]), numbers(b[at + stride]), numbers(b[at + 2u * stride]), numbers(b[at + 3u * stride])),
    Block(numbers(b[at + 1u]), numbers(b[at + stride + 1u]), numbers(b[at + 2u * stride + 1u]), numbers(b[at + 3u * stride + 1u])),
    Block(numbers(b[next]), numbers(b[next + stride]), numbers(b[next + 2u * stride]), numbers(b[next + 3u * stride])),
    Block(numbers(b[next + 1u]), numbers(b[next + stride + 1u]), numbers(b[next + 2u * stride + 1u]), numbers(b[next + 3u * stride + 1u])),
  );
}

fn half_slab(p: u32, octet: u32) -> Slab {
  let stride = select(params.n, params.k, TRANSPOSE_B) / 8u;
  let at = select(p * 8u * stride + octet, octet * 8u * stride + p, TRANSPOSE_B);
  // One load for each column if transposed, for each step of k if not.
  let v0 = b[at];
  let v1 = b[at + stride];
  let v2 = b[at + 2u * stride];
  let v3 = b[at + 3u * stride];
  let v4 = b[at + 4u * stride];
  let v5 = b[at + 5u * stride];
  let v6 = b[at + 6u * stride];
  let v7 = b[at + 7u * stride];
  if (TRANSPOSE_B) {
    return Slab(
      transposed(low_numbers(v0), low_numbers(v1), low_numbers(v2), low_numbers(v3)),
      transposed(low_numbers(v4), low_numbers(v5), low_numbers(v6), low_numbers(v7)),
      transposed(high_numbers(v0), high_numbers(v1), high_numbers(v2), high_numbers(v3)),
      transposed(high_numbers(v4), high_numbers(v5), high_numbers(v6), high_numbers(v7)),
    );
  }
  return Slab(
    Block(low_numbers(v0), low_numbers(v1), low_numbers(v2), low_numbers(v3)),
    Block(high_numbers(v0), high_numbers(v1), high_numbers(v2), high_numbers(v3)),
    Block(low_numbers(v4), low_numbers(v5), low_numbers(v6), low_numbers(v7)),
    Block(high_numbers(v4), high_numbers(v5), high_numbers(v6), high_numbers(v7)),
  );
}

// Eight rows of the result in two blocks of four columns.
struct Rows {
  left: array<vec4<f32>, 8>,
  right: array<vec4<f32>, 8>,
}

fn product(low: vec4<f32>, high: vec4<f32>, first: Block, second: Block) -> vec4<f32> {
  return low.x * first.k0 + low.y * first.k1 + low.z * first.k2 + low.w * first.k3
    + high.x * second.k0 + high.y * second.k1 + high.z * second.k2 + high.w * second.k3;
}

// Adds eight products per column to one of the rows; lane `i` of the subgroup holds the row's values.
fn add_row(sum: ptr<function, Rows>, i: u32, low: vec4<f32>, high: vec4<f32>, slab: Slab) {
  (*sum).left[i] += product(low, high, slab.left_low, slab.left_high);
  (*sum).right[i] += product(low, high, slab.right_low, slab.right_high);
}

fn add_rows(sum: ptr<function, Rows>, low: vec4<f32>, high: vec4<f32>, slab: Slab) {
  add_row(sum, 0u, subgroupBroadcast(low, 0u), subgroupBroadcast(high, 0u), slab);
  add_row(sum, 1u, subgroupBroadcast(low, 1u), subgroupBroadcast(high, 1u), slab);
  add_row(sum, 2u, subgroupBroadcast(low, 2u), subgroupBroadcast(high, 2u), slab);
  add_row(sum, 3u, subgroupBroadcast(low, 3u), subgroupBroadcast(high, 3u), slab);
  add_row(sum, 4u, subgroupBroadcast(low, 4u), subgroupBroadcast(high, 4u), slab);
  add_row(sum, 5u, subgroupBroadcast(low, 5u), subgroupBroadcast(high, 5u), slab);
  add_row(sum, 6u, subgroupBroadcast(low, 6u), subgroupBroadcast(high, 6u), slab);
  add_row(sum, 7u, subgroupBroadcast(low, 7u), subgroupBroadcast(high, 7u), slab);
}

@compute @workgroup_size(32)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
) {
  let row = group.y * ROWS;
  let k_quads = params.k / 4u;
  let octet = group.x * LANES + lane;
  let own_octet = min(octet, params.n / 8u - 1u);
  let own_row = row + subgroup_lane % 8u;
  let a0 = row_start(min(own_row, params.m - 1u));
  let a1 = row_start(min(own_row + 8u, params.m - 1u));
  let a2 = row_start(min(own_row + 16u, params.m - 1u));
  let a3 = row_start(min(own_row + 24u, params.m - 1u));

  var sum0: Rows;
  var sum1: Rows;
  var sum2: Rows;
  var sum3: Rows;
  for (var p = 0u; p < k_quads; p += 2u) {
    // All loads before all arithmetic: a software adapter's loads are branches, and sums do not stay in registers across them.
    let slab = load_slab(p / 2u, own_octet);
    let low = place_of(p);
    let high = place_after(low);
    let low0 = row_quad(a0, low);
    let low1 = row_quad(a1, low);
    let low2 = row_quad(a2, low);
    let low3 = row_quad(a3, low);
    let high0 = row_quad(a0, high);
    let high1 = row_quad(a1, high);
    let high2 = row_quad(a2, high);
    let high3 = row_quad(a3, high);
    add_rows(&sum0, low0, high0, slab);
    add_rows(&sum1, low1, high1, slab);
    add_rows(&sum2, low2, high2, slab);
    add_rows(&sum3, low3, high3, slab);
  }

  // A copy in memory, so that the epilogue is a loop: unrolled 256 times, it takes seconds to compile.
  var result: array<vec4<f32>, 64>;
  for (var i = 0u; i < 8u; i++) {
    result[2u * i] = sum0.left[i];
    result[2u * i + 1u] = sum0.right[i];
    result[2u * i + 16u] = sum1.left[i];
    result[2u * i + 17u] = sum1.right[i];
    result[2u * i + 32u] = sum2.left[i];
    result[2u * i + 33u] = sum2.right[i];
    result[2u * i + 48u] = sum3.left[i];
    result[2u * i + 49u] = sum3.right[i];
  }
  if (octet * 8u < params.n) {
    for (var i = 0u; i < 2u * min(ROWS, params.m - row); i++) {
      let sum = result[i];
      for (var j = 0u; j < 4u; j++) {
        store(row + i / 2u, octet * 8u + (i % 2u) * 4u + j, sum[j]);
      }
    }
  }
}
