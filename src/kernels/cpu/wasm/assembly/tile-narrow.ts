/**
 * The inner kernel where vectors have 128 bits: a tile of 5 x 8 elements of the product, held in ten registers over a whole block of k.
 *
 * Per step of k: 7 loads and 10 multiply-adds. 5 x 8 because an engine has 15 vector registers on x86-64: 10
 * accumulators, 2 vectors of B, 1 element of A, and 1 for the product if there is no fused multiply-add. One step per
 * iteration, because V8 (11.3) orders a longer body by accumulator, needs more registers than there are, and spills.
 */
import { madd } from './simd';

/** c = (first ? 0 : c) + A . B; see tile.ts. */
// @ts-ignore: decorator
@inline
export function narrowTile(a: usize, b: usize, c: usize, stride: usize, depth: i32, first: bool): void {
  const row1 = c + stride;
  const row2 = row1 + stride;
  const row3 = row2 + stride;
  const row4 = row3 + stride;
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  let c40 = c00;
  let c41 = c00;
  if (!first) {
    c00 = v128.load(c);
    c01 = v128.load(c, 16);
    c10 = v128.load(row1);
    c11 = v128.load(row1, 16);
    c20 = v128.load(row2);
    c21 = v128.load(row2, 16);
    c30 = v128.load(row3);
    c31 = v128.load(row3, 16);
    c40 = v128.load(row4);
    c41 = v128.load(row4, 16);
  }
  const end = a + <usize>depth * 20;
  while (a != end) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = v128.load_splat<f32>(a);
    c00 = madd(x, b0, c00);
    c01 = madd(x, b1, c01);
    x = v128.load_splat<f32>(a, 4);
    c10 = madd(x, b0, c10);
    c11 = madd(x, b1, c11);
    x = v128.load_splat<f32>(a, 8);
    c20 = madd(x, b0, c20);
    c21 = madd(x, b1, c21);
    x = v128.load_splat<f32>(a, 12);
    c30 = madd(x, b0, c30);
    c31 = madd(x, b1, c31);
    x = v128.load_splat<f32>(a, 16);
    c40 = madd(x, b0, c40);
    c41 = madd(x, b1, c41);
    a += 20;
    b += 32;
  }
  v128.store(c, c00);
  v128.store(c, c01, 16);
  v128.store(row1, c10);
  v128.store(row1, c11, 16);
  v128.store(row2, c20);
  v128.store(row2, c21, 16);
  v128.store(row3, c30);
  v128.store(row3, c31, 16);
  v128.store(row4, c40);
  v128.store(row4, c41, 16);
}
