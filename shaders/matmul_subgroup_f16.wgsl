// The right operand of matmul_subgroup.wgsl as fp16 values, eight per load.

@group(0) @binding(2) var<storage, read> b: array<vec4<u32>>;  // [k, n / 8], or [n, k / 8] transposed

fn low_numbers(packed: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(unpack2x16float(packed.x), unpack2x16float(packed.y));
}

fn high_numbers(packed: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(unpack2x16float(packed.z), unpack2x16float(packed.w));
}

// Columns 8 * octet to 8 * octet + 7 at steps 8 * p to 8 * p + 7 of k.
fn load_slab(p: u32, octet: u32) -> Slab {
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
