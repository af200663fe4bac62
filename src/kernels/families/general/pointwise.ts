/**
 * Functions of one number, element by element, and their gradients: a table in which each function and its derivative stand once, in WGSL and
 * beside it in TypeScript. A row gives two kernels, `relu` and `reluGrad`, with shader, twin, cases and cost.
 */
import type { CaseData } from '../../cases.js';
import { ELEMENTWISE, kernel, reads, type Sizes, type Variant, writes } from '../../definition.js';
import { activate, activationDerivative } from '../activation.js';
import { lengths, ramp } from '../shapes.js';

/** A formula in both languages. */
interface Formula {
  /** An expression in f32. */
  readonly wgsl: string;
  readonly twin: (value: number) => number;
}

/** A function of one number. */
interface PointwiseFunction {
  /** Of `x`. */
  readonly value: Formula;
  /** Of `x`, or of the function's own value `y` where that is simpler; the gradient keeps that one tensor. */
  readonly derivative: Formula & { readonly of: 'x' | 'y' };
  /** A file of shaders/ that the formulas need. */
  readonly include?: string;
  /** Defined for positive numbers only. */
  readonly positive?: true;
}

const table = {
  relu: {
    // Not max(x, 0), which may turn NaN into 0.
    value: { wgsl: 'select(x, 0.0, x <= 0.0)', twin: (x) => (x <= 0 ? 0 : x) },
    derivative: { of: 'y', wgsl: 'select(0.0, 1.0, y > 0.0)', twin: (y) => (y > 0 ? 1 : 0) },
  },
  sigmoid: {
    value: { wgsl: 'sigmoid(x)', twin: (x) => 1 / (1 + Math.exp(-x)) },
    derivative: { of: 'y', wgsl: 'y * (1.0 - y)', twin: (y) => y * (1 - y) },
    include: 'activation',
  },
  tanh: {
    // Beyond 15 it is 1 in float32; WGSL may compute it from exponentials that overflow.
    value: { wgsl: 'tanh(clamp(x, -15.0, 15.0))', twin: Math.tanh },
    derivative: { of: 'y', wgsl: '1.0 - y * y', twin: (y) => 1 - y * y },
  },
  gelu: {
    value: { wgsl: 'activate(2u, x)', twin: (x) => activate('gelu', x) },
    derivative: { of: 'x', wgsl: 'activation_derivative(2u, x)', twin: (x) => activationDerivative('gelu', x) },
    include: 'activation',
  },
  quickGelu: {
    value: { wgsl: 'activate(1u, x)', twin: (x) => activate('quick_gelu', x) },
    derivative: { of: 'x', wgsl: 'activation_derivative(1u, x)', twin: (x) => activationDerivative('quick_gelu', x) },
    include: 'activation',
  },
  exp: {
    value: { wgsl: 'exp(x)', twin: Math.exp },
    derivative: { of: 'y', wgsl: 'y', twin: (y) => y },
  },
  log: {
    value: { wgsl: 'log(x)', twin: Math.log },
    derivative: { of: 'x', wgsl: '1.0 / x', twin: (x) => 1 / x },
    positive: true,
  },
  sqrt: {
    value: { wgsl: 'sqrt(x)', twin: Math.sqrt },
    derivative: { of: 'y', wgsl: '0.5 / y', twin: (y) => 0.5 / y },
    positive: true,
  },
  square: {
    value: { wgsl: 'x * x', twin: (x) => x * x },
    derivative: { of: 'x', wgsl: '2.0 * x', twin: (x) => 2 * x },
  },
} as const satisfies Readonly<Record<string, PointwiseFunction>>;

/** The functions of the table. */
export type PointwiseName = keyof typeof table;

/** Which tensor the gradient of a function needs: its input `x`, or its output `y`. */
export function pointwiseSaves(name: PointwiseName): 'x' | 'y' {
  return table[name].derivative.of;
}

const perElement = { unit: 'element', units: ({ length }: { readonly length: number }) => length } as const;

function forward(name: string, { value, include, positive }: PointwiseFunction) {
  return kernel({
    name,
    formula: `out = ${value.wgsl}`,
    operands: { x: reads('...length'), out: writes('...length') },
    twin({ x, out, length }) {
      for (let i = 0; i < length; i++) out[i] = value.twin(x[i]!);
    },
    variants: fromText({ inputs: ['x'], output: 'out', include, body: `let x = x[at];\n  out[at] = ${value.wgsl};` }),
    ...perElement,
    cases: casesOf('x', positive),
  });
}

function gradient(name: string, { derivative, include, positive }: PointwiseFunction) {
  const { of } = derivative;
  return kernel({
    name: `${name}Grad`,
    formula: `gradX = gradOut * (${derivative.wgsl})`,
    operands: { saved: reads('...length'), gradOut: reads('...length'), gradX: writes('...length') },
    twin({ saved, gradOut, gradX, length }) {
      for (let i = 0; i < length; i++) gradX[i] = gradOut[i]! * derivative.twin(saved[i]!);
    },
    variants: fromText({
      inputs: ['saved', 'grad_out'],
      output: 'grad_x',
      include,
      body: `let ${of} = saved[at];\n  grad_x[at] = grad_out[at] * (${derivative.wgsl});`,
    }),
    ...perElement,
    notes: { saved: `${of}, the ${of === 'x' ? 'input' : 'output'} of ${name}` },
    cases: casesOf('saved', positive),
  });
}

/** `wide`: numbers from -8 to 8 instead of -1 to 1. */
function casesOf<N extends string>(operand: N, positive = false) {
  return {
    sizes: { length: 884_736 },
    variations: { wide: 0 },
    data(d: CaseData, { length = 0, wide }: Sizes) {
      if (!wide && !positive) return {};
      const numbers = ramp(length, wide ? 8 : 1);
      return { [operand]: d.values(positive ? numbers.map((one) => Math.abs(one) + 0.125) : numbers) };
    },
    suite: lengths.flatMap((size) => [size, { ...size, wide: 1 }]),
  };
}

/** The whole shader of an elementwise kernel. */
function fromText(given: {
  readonly inputs: readonly string[];
  readonly output: string;
  readonly include: string | undefined;
  readonly body: string;
}): readonly [Variant] {
  const { inputs, output, include, body } = given;
  const bindings = [
    ...inputs.map((name, i) => `@group(0) @binding(${i + 1}) var<storage, read> ${name}: array<f32>;`),
    `@group(0) @binding(${inputs.length + 1}) var<storage, read_write> ${output}: array<f32>;`,
  ];
  const wgsl = `// #include "grid.wgsl"
${include === undefined ? '' : `// #include "${include}.wgsl"\n`}
struct Params {
  length: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
${bindings.join('\n')}

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  for (var i = 0u; i < ELEMENTS; i++) {
    let at = nth_element(grid, lane, i);
    if (at >= params.length) {
      break;
    }
    ${body}
  }
}
`;
  return [{ name: 'shipped', wgsl, covers: ELEMENTWISE }];
}

const rows = Object.entries(table) as [PointwiseName, PointwiseFunction][];

/** The functions themselves, by name. */
export const pointwise = Object.fromEntries(rows.map(([name, row]) => [name, forward(name, row)])) as Record<
  PointwiseName,
  ReturnType<typeof forward>
>;

/** Their gradients, by the name of the function. */
export const pointwiseGrad = Object.fromEntries(rows.map(([name, row]) => [name, gradient(name, row)])) as Record<
  PointwiseName,
  ReturnType<typeof gradient>
>;
