/**
 * Sums, differences, products and quotients of two tensors, of which either is repeated along some axes. An element of the result is found at
 * (i0, i1, i2, i3); a stride of 0 repeats an operand along that axis.
 */
import type { CaseData } from '../../cases.js';
import { ELEMENTWISE, kernel, reads, type Sizes, type Variant, writes } from '../../definition.js';
import { denseStrides, fourAxes, stridesOf } from '../shapes.js';

/** The four operations. */
export type BinaryName = 'add' | 'sub' | 'mul' | 'div';

/** A formula of a and b in both languages. */
interface BinaryFormula {
  readonly wgsl: string;
  readonly twin: (a: number, b: number) => number;
}

const table = {
  add: { wgsl: 'a + b', twin: (a, b) => a + b },
  sub: { wgsl: 'a - b', twin: (a, b) => a - b },
  mul: { wgsl: 'a * b', twin: (a, b) => a * b },
  div: { wgsl: 'a / b', twin: (a, b) => a / b },
} as const satisfies Readonly<Record<BinaryName, BinaryFormula>>;

const STRIDES = {
  ...{ size1: 1, size2: 1, size3: 1 },
  ...{ aStride0: 0, aStride1: 0, aStride2: 0, aStride3: 1 },
  ...{ bStride0: 0, bStride1: 0, bStride2: 0, bStride3: 1 },
};

function binary(name: string, { wgsl, twin }: BinaryFormula) {
  return kernel({
    name,
    formula: `out = ${wgsl}, a and b repeated along the axes where their stride is 0`,
    operands: { a: reads('...aLength'), b: reads('...bLength'), out: writes('...length') },
    scalars: STRIDES,
    twin(args) {
      const { a, b, out, length, size1, size2, size3 } = args;
      for (let at = 0; at < length; at++) {
        const i3 = at % size3;
        const i2 = Math.floor(at / size3) % size2;
        const i1 = Math.floor(at / (size3 * size2)) % size1;
        const i0 = Math.floor(at / (size3 * size2 * size1));
        const aAt = i0 * args.aStride0 + i1 * args.aStride1 + i2 * args.aStride2 + i3 * args.aStride3;
        const bAt = i0 * args.bStride0 + i1 * args.bStride1 + i2 * args.bStride2 + i3 * args.bStride3;
        out[at] = twin(a[aAt]!, b[bAt]!);
      }
    },
    variants: shader(wgsl),
    unit: 'element',
    units: ({ length }) => length,
    cases: {
      sizes: { n0: 1, n1: 1, n2: 1728, n3: 512 },
      variations: { repeated: 0 },
      data: repeatedOperands,
      suite: fourAxes.flatMap((shape) => Object.keys(REPEATED).map((repeated) => ({ ...shape, repeated: +repeated }))),
    },
  });
}

/** Axes along which a and b are repeated: none; b a row; a a column; b a number; both, along different axes. */
const REPEATED: Readonly<Record<number, readonly [a: readonly number[], b: readonly number[]]>> = {
  0: [[], []],
  1: [[], [0, 1, 2]],
  2: [[1, 2, 3], []],
  3: [[], [0, 1, 2, 3]],
  4: [
    [0, 2],
    [1, 3],
  ],
};

function repeatedOperands(d: CaseData, { n0 = 1, n1 = 1, n2 = 1, n3 = 1, repeated = 0 }: Sizes) {
  const shape = [n0, n1, n2, n3];
  const [a, b] = REPEATED[repeated]!.map((axes) => {
    const own = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    const strides = denseStrides(own).map((stride, axis) => (axes.includes(axis) ? 0 : stride));
    return { length: own.reduce((product, size) => product * size, 1), strides };
  }) as [{ length: number; strides: number[] }, { length: number; strides: number[] }];
  return {
    ...{ length: n0 * n1 * n2 * n3, aLength: a.length, bLength: b.length },
    ...{ size1: n1, size2: n2, size3: n3 },
    ...stridesOf('aStride', a.strides),
    ...stridesOf('bStride', b.strides),
    // Divisors that are not near 0.
    b: d.values(Array.from({ length: b.length }, (_, i) => (i % 2 ? -1 : 1) * (0.5 + ((i * 7) % 16) / 16))),
  };
}

function shader(wgsl: string): readonly [Variant] {
  const text = `// #include "grid.wgsl"

struct Params {
  length: u32,
  size1: u32,
  size2: u32,
  size3: u32,
  a_stride0: u32,
  a_stride1: u32,
  a_stride2: u32,
  a_stride3: u32,
  b_stride0: u32,
  b_stride1: u32,
  b_stride2: u32,
  b_stride3: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

fn result(a: f32, b: f32) -> f32 {
  return ${wgsl};
}

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  for (var i = 0u; i < ELEMENTS; i++) {
    let at = nth_element(grid, lane, i);
    if (at >= params.length) {
      break;
    }
    let i3 = at % params.size3;
    let i2 = (at / params.size3) % params.size2;
    let i1 = (at / (params.size3 * params.size2)) % params.size1;
    let i0 = at / (params.size3 * params.size2 * params.size1);
    let a_at = i0 * params.a_stride0 + i1 * params.a_stride1 + i2 * params.a_stride2 + i3 * params.a_stride3;
    let b_at = i0 * params.b_stride0 + i1 * params.b_stride1 + i2 * params.b_stride2 + i3 * params.b_stride3;
    out[at] = result(a[a_at], b[b_at]);
  }
}
`;
  return [{ name: 'shipped', wgsl: text, covers: ELEMENTWISE }];
}

export const add = binary('add', table.add);
export const sub = binary('sub', table.sub);
export const mul = binary('mul', table.mul);
export const div = binary('div', table.div);
