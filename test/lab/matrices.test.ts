/**
 * Products by matrices of subgroups. Adapters that have them are rare, so what can be known without one is tested: that Dawn accepts the texts, and that in
 * lockstep they give what the twin gives, without races, whatever the subgroup's size.
 */
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.js';
import { anyKernel, CpuBackend, kernels, runCase, sizedArgs, suiteOf } from '../../src/kernels/index.js';
import { unmetNeed } from '../../src/kernels/needs.js';
import { type Launch, launchOf } from '../../src/kernels/webgpu/launch.js';
import { reflectShader } from '../../src/kernels/webgpu/reflect.js';
import { dispatchWatched } from '../../src/lab/course/races.js';
import { compareOutputs } from '../../src/lab/index.js';
import { LockstepDevice } from '../../src/lab/lockstep/device.js';

const matmul = anyKernel(kernels.matmul);
const FACTS = { subgroupSize: 32, features: ['shader-f16'], matrices: ['f32x8', 'f16x16'] };
const variants = matmul.variants.filter(({ needs }) => needs?.startsWith('matrix'));

it('are two variants', () => expect(variants.map(({ name }) => name)).toEqual(['matrices', 'matrixHalves']));

describe.each(variants)('$name in lockstep', (variant) => {
  const oracle = new CpuBackend({ precision: 'f64', poison: true });
  const cases = suiteOf(matmul).filter((test) => unmetNeed(variant, sizedArgs(test), FACTS) === undefined);

  // All cases with the usual size, some with each of the others.
  it.each([32, 8, 16, 64, 128])('gives what the twin gives, with subgroups of %i', async (size) => {
    const some = size === 32 ? cases : cases.filter((_, i) => i % 4 === Math.log2(size) % 4);
    expect(some.length).toBeGreaterThan(3);
    for (const test of some) {
      const device = new LockstepDevice(size, variant.name);
      const found = compareOutputs(await runCase(device, test), await runCase(oracle, test), variant.tolerance);
      expect([found.wrong, found.overrun], `${test.name}: ${found.error}`).toEqual([0, 0]);
    }
  });

  it.each([16, 32, 64])('has no race, with subgroups of %i', (size) => {
    const device = new LockstepDevice(size, variant.name);
    const half = variant.name === 'matrixHalves';
    const data = device.caseData();
    const [m, n, k] = [70, 68, 36];
    const args = {
      a: data.real(m * k),
      b: half ? data.half(k * n) : data.real(k * n),
      out: data.output(m, n),
      m,
      n,
      k,
    };
    const launch = launchOf(matmul, variant, { ...args, alpha: 1, transposeB: true });
    expect(dispatchWatched(device, launch)).toEqual({ race: undefined, outside: false });
    const barriers = launch.shader.text.match(/workgroupBarrier\(\);/g)!.length;
    for (let without = 0; without < barriers; without++) {
      let i = 0;
      const text = launch.shader.text.replace(/workgroupBarrier\(\);/g, (one) => (i++ === without ? '' : one));
      const changed = { ...launch, shader: { ...launch.shader, text } };
      expect(dispatchWatched(device, changed).race, `without barrier ${without + 1}`).toMatch(/race/);
    }
  });
});

describe('what the extension forbids', () => {
  const run = (body: string, lanes = 8) => {
    const text = `struct Params { length: u32, }
      @group(0) @binding(0) var<uniform> params: Params;
      @group(0) @binding(1) var<storage, read_write> out: array<f32>;
      alias Left = subgroup_matrix_left<f32, 4, 2>;
      alias Right = subgroup_matrix_right<f32, 3, 4>;
      alias Sums = subgroup_matrix_result<f32, 3, 2>;
      @compute @workgroup_size(${lanes}) fn main(@builtin(local_invocation_index) lane: u32) { ${body} }`;
    const device = new LockstepDevice(4);
    const out = device.allocate('f32', 32);
    device.write(
      out,
      Float32Array.from({ length: 32 }, (_, i) => i),
    );
    const shader = { id: 0, text, interface: reflectShader(text) };
    const launch: Launch = {
      ...{ label: '', shader, entryPoint: 'main', constants: {}, params: { length: 0 } },
      ...{ buffers: { out }, workgroups: [1, 1] },
    };
    device.prepare(launch).run(0, 0);
    return device.read(out);
  };
  const PRODUCT = `let left = subgroupMatrixLoad<Left, row_major>(&out, 0u, 4u);
    let right = subgroupMatrixLoad<Right, col_major>(&out, 8u, 4u);
    let sums = subgroupMatrixMultiplyAccumulate(left, right, Sums());`;

  it('but a product of matrices that are not square it gives', async () => {
    const found = await run(`${PRODUCT} subgroupMatrixStore<row_major>(&out, 20u, sums, 3u);`, 4);
    // Rows 0..3 and 4..7 by columns 8..11, 12..15 and 16..19.
    expect(Array.from(found.slice(20, 26))).toEqual([62, 86, 110, 214, 302, 390]);
  });

  it.each([
    ['one offset and stride for all invocations', 'let left = subgroupMatrixLoad<Left, row_major>(&out, lane, 4u);', 8],
    ['all invocations of a subgroup to come by', `if (lane < 2u) { ${PRODUCT} }`, 8],
    ['whole subgroups of 4, found 6', PRODUCT, 6],
    ['row_major or col_major', 'let left = subgroupMatrixLoad<Left>(&out, 0u, 4u);', 8],
    ['an array of f32', 'var own = 0.0; let left = subgroupMatrixLoad<Left, row_major>(&own, 0u, 4u);', 8],
    ['a matrix of a subgroup, found vector', 'let left = subgroupMatrixLoad<f32, row_major>(&out, 0u, 4u);', 8],
    ['a left and a right matrix', `${PRODUCT} let more = subgroupMatrixMultiplyAccumulate(right, left, sums);`, 8],
  ])('expects %s', (expected, body, lanes) => {
    expect(() => run(body, lanes)).toThrow(InputError);
    expect(() => run(body, lanes)).toThrow(expected);
  });
});
