/**
 * The inner kernel for an engine that fuses neighbouring vectors: a tile of 6 x 16 elements, four vectors a row.
 *
 * V8 with --experimental-wasm-revectorize turns two vectors that are loaded, computed and stored side by side into one of 256 bits. Then
 * the 24 sums take 12 registers, two more hold B, one the element of A: 8 loads and 12 multiply-adds of eight numbers each per step of k.
 * Without the flag there are not enough registers, and this is slower than the narrow tile.
 */
import { madd } from './simd';

/** c = (first ? 0 : c) + A . B; see tile.ts. */
// @ts-ignore: decorator
@inline
export function wideTile(a: usize, b: usize, c: usize, stride: usize, depth: i32, first: bool): void {
  const row1 = c + stride;
  const row2 = row1 + stride;
  const row3 = row2 + stride;
  const row4 = row3 + stride;
  const row5 = row4 + stride;
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c02 = f32x4.splat(0);
  let c03 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  let c12 = f32x4.splat(0);
  let c13 = f32x4.splat(0);
  let c20 = f32x4.splat(0);
  let c21 = f32x4.splat(0);
  let c22 = f32x4.splat(0);
  let c23 = f32x4.splat(0);
  let c30 = f32x4.splat(0);
  let c31 = f32x4.splat(0);
  let c32 = f32x4.splat(0);
  let c33 = f32x4.splat(0);
  let c40 = f32x4.splat(0);
  let c41 = f32x4.splat(0);
  let c42 = f32x4.splat(0);
  let c43 = f32x4.splat(0);
  let c50 = f32x4.splat(0);
  let c51 = f32x4.splat(0);
  let c52 = f32x4.splat(0);
  let c53 = f32x4.splat(0);
  if (!first) {
    c00 = v128.load(c);
    c01 = v128.load(c, 16);
    c02 = v128.load(c, 32);
    c03 = v128.load(c, 48);
    c10 = v128.load(row1);
    c11 = v128.load(row1, 16);
    c12 = v128.load(row1, 32);
    c13 = v128.load(row1, 48);
    c20 = v128.load(row2);
    c21 = v128.load(row2, 16);
    c22 = v128.load(row2, 32);
    c23 = v128.load(row2, 48);
    c30 = v128.load(row3);
    c31 = v128.load(row3, 16);
    c32 = v128.load(row3, 32);
    c33 = v128.load(row3, 48);
    c40 = v128.load(row4);
    c41 = v128.load(row4, 16);
    c42 = v128.load(row4, 32);
    c43 = v128.load(row4, 48);
    c50 = v128.load(row5);
    c51 = v128.load(row5, 16);
    c52 = v128.load(row5, 32);
    c53 = v128.load(row5, 48);
  }
  const end = a + <usize>depth * 24;
  while (a != end) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const b2 = v128.load(b, 32);
    const b3 = v128.load(b, 48);
    let x = v128.load_splat<f32>(a);
    c00 = madd(x, b0, c00);
    c01 = madd(x, b1, c01);
    c02 = madd(x, b2, c02);
    c03 = madd(x, b3, c03);
    x = v128.load_splat<f32>(a, 4);
    c10 = madd(x, b0, c10);
    c11 = madd(x, b1, c11);
    c12 = madd(x, b2, c12);
    c13 = madd(x, b3, c13);
    x = v128.load_splat<f32>(a, 8);
    c20 = madd(x, b0, c20);
    c21 = madd(x, b1, c21);
    c22 = madd(x, b2, c22);
    c23 = madd(x, b3, c23);
    x = v128.load_splat<f32>(a, 12);
    c30 = madd(x, b0, c30);
    c31 = madd(x, b1, c31);
    c32 = madd(x, b2, c32);
    c33 = madd(x, b3, c33);
    x = v128.load_splat<f32>(a, 16);
    c40 = madd(x, b0, c40);
    c41 = madd(x, b1, c41);
    c42 = madd(x, b2, c42);
    c43 = madd(x, b3, c43);
    x = v128.load_splat<f32>(a, 20);
    c50 = madd(x, b0, c50);
    c51 = madd(x, b1, c51);
    c52 = madd(x, b2, c52);
    c53 = madd(x, b3, c53);
    a += 24;
    b += 64;
  }
  v128.store(c, c00);
  v128.store(c, c01, 16);
  v128.store(c, c02, 32);
  v128.store(c, c03, 48);
  v128.store(row1, c10);
  v128.store(row1, c11, 16);
  v128.store(row1, c12, 32);
  v128.store(row1, c13, 48);
  v128.store(row2, c20);
  v128.store(row2, c21, 16);
  v128.store(row2, c22, 32);
  v128.store(row2, c23, 48);
  v128.store(row3, c30);
  v128.store(row3, c31, 16);
  v128.store(row3, c32, 32);
  v128.store(row3, c33, 48);
  v128.store(row4, c40);
  v128.store(row4, c41, 16);
  v128.store(row4, c42, 32);
  v128.store(row4, c43, 48);
  v128.store(row5, c50);
  v128.store(row5, c51, 16);
  v128.store(row5, c52, 32);
  v128.store(row5, c53, 48);
}
