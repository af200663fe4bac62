enable subgroups;

// Matrix product, a rung for adapters on which loads are expensive: 8 rows x 4 columns per invocation, and the left operand by broadcasts.
//
// Eight invocations of a subgroup compute the same 8 rows and 32 columns. k advances by four at a time: each loads four values of one
// row, and all get all eight rows' values by broadcast. Five loads of four values for 128 products, where `registers`
// has twelve loads of one value for 32. Without epilogues, for brevity.
//
// lab: covers 8 x 128
// lab: needs n % 4 == 0, k % 4 == 0, transposeA == 0

struct Params {
  m: u32,
  n: u32,
  k: u32,
  alpha: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;    // [m, k / 4]
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;    // [k, n / 4], or [n, k / 4] where TRANSPOSE_B
@group(0) @binding(3) var<storage, read_write> out: array<f32>;  // [m, n]

override TRANSPOSE_B: bool = false;

const ROWS = 8u;
const LANES = 32u;

// Four steps of k of four columns.
fn load_block(p: u32, quad: u32) -> mat4x4<f32> {
  if (TRANSPOSE_B) {
    let stride = params.k / 4u;
    let at = quad * 4u * stride + p;
    return transpose(mat4x4<f32>(b[at], b[at + stride], b[at + 2u * stride], b[at + 3u * stride]));
  }
  let stride = params.n / 4u;
  let at = p * 4u * stride + quad;
  return mat4x4<f32>(b[at], b[at + stride], b[at + 2u * stride], b[at + 3u * stride]);
}

@compute @workgroup_size(32)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
) {
  let row = group.y * ROWS;
  let quad = group.x * LANES + lane;
  // No invocation may leave early, since all take part in the broadcasts: past the edge, the last row or columns, not stored.
  let own_quad = min(quad, params.n / 4u - 1u);
  let a_start = min(row + subgroup_lane % 8u, params.m - 1u) * (params.k / 4u);
  var sum = array<vec4<f32>, ROWS>();
  for (var p = 0u; p < params.k / 4u; p++) {
    let block = load_block(p, own_quad);
    let left = a[a_start + p];
    sum[0] += block * subgroupBroadcast(left, 0u);
    sum[1] += block * subgroupBroadcast(left, 1u);
    sum[2] += block * subgroupBroadcast(left, 2u);
    sum[3] += block * subgroupBroadcast(left, 3u);
    sum[4] += block * subgroupBroadcast(left, 4u);
    sum[5] += block * subgroupBroadcast(left, 5u);
    sum[6] += block * subgroupBroadcast(left, 6u);
    sum[7] += block * subgroupBroadcast(left, 7u);
  }
  if (quad < params.n / 4u) {
    for (var i = 0u; i < min(ROWS, params.m - row); i++) {
      for (var j = 0u; j < 4u; j++) {
        out[(row + i) * params.n + quad * 4u + j] = params.alpha * sum[i][j];
      }
    }
  }
}
