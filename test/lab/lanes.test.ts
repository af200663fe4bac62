/** Kernels with their invocations in reverse order. */
import { describe, expect, it } from 'vitest';
import { allKernels } from '../../src/kernels/index.js';
import { assembled } from '../../src/kernels/webgpu/wgsl-text.js';
import { reversedLanes } from '../../src/lab/index.js';

const SHARED = 'var<workgroup> shared: array<f32, 64>;\n';

describe('reversedLanes', () => {
  it('turns the number of an invocation round', () => {
    const entry = '@compute @workgroup_size(64)\nfn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {';
    expect(reversedLanes(`${SHARED}${entry} x[lane] = 1.0; }`)).toBe(
      `${SHARED}${entry.replace(' lane:', ' in_order_lane:')} let lane = u32(64) * 1u * 1u - 1u - in_order_lane; x[lane] = 1.0; }`,
    );
  });

  it('turns its places along the axes round, in keeping with its number', () => {
    const entry = (name: string) =>
      `@compute @workgroup_size(X, 4u)\nfn main(\n  @builtin(local_invocation_id) ${name}local: vec3<u32>,\n  @builtin(local_invocation_index) ${name}i: u32,\n) {`;
    expect(reversedLanes(`${SHARED}${entry('')} }`)).toBe(
      `${SHARED}${entry('in_order_')} let local = vec3<u32>(u32(X), u32(4u), 1u) - 1u - in_order_local; let i = u32(X) * u32(4u) * 1u - 1u - in_order_i; }`,
    );
  });

  it.each([
    ['shares no memory', '@compute @workgroup_size(64) fn main(@builtin(local_invocation_index) lane: u32) { }'],
    [
      'knows its place in a struct',
      `${SHARED}struct S { @builtin(local_invocation_index) lane: u32 } @compute @workgroup_size(64) fn main(s: S) { }`,
    ],
    [
      'knows its place in the grid',
      `${SHARED}@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) { }`,
    ],
    [
      'knows its place in a subgroup',
      `${SHARED}@compute @workgroup_size(64) fn main(@builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) s: u32) { }`,
    ],
  ])('refuses a text that %s', (_, text) => {
    expect(reversedLanes(text)).toBeUndefined();
  });

  it('takes all shipped variants that share memory', () => {
    const variants = allKernels().flatMap((kernel) => kernel.variants);
    // Matrices belong to a subgroup, and so know it.
    const sharing = variants
      .filter(({ needs }) => !needs?.startsWith('matrix'))
      .map(({ wgsl }) => assembled(wgsl))
      .filter((text) => text.includes('var<workgroup>'));
    expect(sharing.length).toBeGreaterThan(10);
    expect(sharing.filter((text) => reversedLanes(text) === undefined)).toEqual([]);
  });
});
