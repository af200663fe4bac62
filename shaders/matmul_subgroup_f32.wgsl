// The right operand of matmul_subgroup.wgsl in single precision.

@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;  // [k, n / 4], or [n, k / 4] transposed

// Columns 8 * octet to 8 * octet + 7 at steps 8 * p to 8 * p + 7 of k.
fn load_slab(p: u32, octet: u32) -> Slab {
  if (TRANSPOSE_B) {
    let stride = params.k / 4u;
    let at = octet * 8u * stride + 2u * p;
    let next = at + 4u * stride;
    return Slab(
      transposed(b[at], b[at + stride], b[at + 2u * stride], b[at + 3u * stride]),
      transposed(b[next], b[next + stride], b[next + 2u * stride], b[next + 3u * stride]),
      transposed(b[at + 1u], b[at + stride + 1u], b[at + 2u * stride + 1u], b[at + 3u * stride + 1u]),
      transposed(b[next + 1u], b[next + stride + 1u], b[next + 2u * stride + 1u], b[next + 3u * stride + 1u]),
    );
  }
  let stride = params.n / 4u;
  let at = p * 8u * stride + 2u * octet;
  let next = at + 4u * stride;
  return Slab(
    Block(b[at], b[at + stride], b[at + 2u * stride], b[at + 3u * stride]),
    Block(b[at + 1u], b[at + stride + 1u], b[at + 2u * stride + 1u], b[at + 3u * stride + 1u]),
    Block(b[next], b[next + stride], b[next + 2u * stride], b[next + 3u * stride]),
    Block(b[next + 1u], b[next + stride + 1u], b[next + 2u * stride + 1u], b[next + 3u * stride + 1u]),
  );
}
