/** The check that every operation has to pass: its gradient beside central differences in float64. */
import { CpuBackend } from '../kernels/index.js';
import { Engine } from './engine.js';
import { affine } from './ops/elementwise.js';
import { uniformValues } from './random.js';
import { sizeOf, type Tensor } from './tensor.js';

/** An input of an operation that gets a gradient: its shape, or its shape and the values to check at. */
export type GradientInput =
  | readonly number[]
  | { readonly shape: readonly number[]; readonly values: ArrayLike<number> };

/** How a gradient is checked. */
export interface GradientOptions {
  /** Where the gradient is computed. Default: in float64 on the CPU, as the differences always are. */
  engine?: Engine;
  /** Half the distance of the two values of a difference. Default 1e-5. */
  step?: number;
  /** The largest difference that is right, relative to the gradient's largest element. Default 3e-6, which float32 keeps. */
  tolerance?: number;
  /** Of the values that are not given, uniform in [-1, 1). Default 1. */
  seed?: number;
}

/** One input's gradient beside the differences. */
export interface InputReport {
  readonly shape: readonly number[];
  /** The largest difference, relative to the largest element; NaN if no gradient arrived, or if either holds NaN. */
  readonly error: number;
  /** Where it is, a number for each axis, and what was found there; undefined if no gradient arrived. */
  readonly worst:
    | { readonly index: readonly number[]; readonly analytic: number; readonly numeric: number }
    | undefined;
  /** Whether the gradient has the same bits while all other inputs are frozen. */
  readonly sameAlone: boolean;
}

/** What `checkGradient` found; `String(report)` has a line for each input. */
export class GradientReport {
  constructor(
    readonly inputs: readonly InputReport[],
    readonly tolerance: number,
  ) {}

  /** Whether every gradient is right. */
  get passed(): boolean {
    return this.inputs.every((input) => this.#right(input));
  }

  /** A line for each input: its shape, whether its gradient is right, and the worst element. */
  toString(): string {
    return this.inputs.map((input, i) => this.#line(input, i)).join('\n');
  }

  #right({ error, sameAlone }: InputReport): boolean {
    return error <= this.tolerance && sameAlone;
  }

  #line(input: InputReport, i: number): string {
    const { shape, worst, error, sameAlone } = input;
    const name = `input ${i} [${shape.join(', ')}]: ${this.#right(input) ? 'right' : 'WRONG'}`;
    if (!worst) return `${name}, no gradient arrived`;
    const { index, analytic, numeric } = worst;
    const found = `at [${index.join(', ')}] analytic ${analytic.toPrecision(7)}, numeric ${numeric.toPrecision(7)}`;
    const alone = sameAlone ? '' : '; another gradient while the other inputs are frozen';
    return `${name}, ${found}, relative error ${error.toExponential(1)} (at most ${this.tolerance})${alone}`;
  }
}

/**
 * Compares an operation's gradients with central differences in float64. The operation stands in the middle of a graph: its inputs are results of
 * another, and the gradient that comes to its output is random. It is called many times, so it must give the same each time; constants are
 * made within it, by the engine of its inputs. Throws what the operation throws.
 *
 *     const report = await checkGradient((x, y) => mul(x, y), [[2, 3], [3]]);
 *     if (!report.passed) console.log(String(report));
 */
export async function checkGradient(
  operation: (...inputs: Tensor[]) => Tensor,
  inputs: readonly GradientInput[],
  options: GradientOptions = {},
): Promise<GradientReport> {
  const { step = 1e-5, tolerance = 3e-6, seed = 1 } = options;
  const oracle = new Engine(new CpuBackend({ precision: 'f64' }));
  const { engine = oracle } = options;
  const points = inputs.map((input, i): Point => {
    const shape = 'shape' in input ? input.shape : input;
    const values = 'shape' in input ? input.values : uniformValues(shape, 1, seed + i);
    return { shape, values: Float64Array.from(values) };
  });
  const all = await gradients(engine, operation, points, () => true);
  const objective = async (at: readonly Point[]): Promise<number> => {
    const values = await output(oracle, operation, at);
    const weights = upstream(values.length);
    return values.reduce((sum, value, i) => sum + value * weights[i]!, 0);
  };
  const reports: InputReport[] = [];
  for (const [i, { shape, values }] of points.entries()) {
    const analytic = all[i];
    const numeric = new Float64Array(values.length);
    for (let j = 0; j < values.length; j++) {
      const moved = (by: number) => points.with(i, { shape, values: values.with(j, values[j]! + by) });
      numeric[j] = ((await objective(moved(step))) - (await objective(moved(-step)))) / (2 * step);
    }
    const alone = points.length > 1 ? (await gradients(engine, operation, points, (one) => one === i))[i] : analytic;
    const sameAlone = alone?.every((value, j) => Object.is(value, analytic?.[j])) ?? analytic === undefined;
    reports.push({ shape, ...compared(shape, analytic, numeric), sameAlone });
  }
  return new GradientReport(reports, tolerance);
}

/** Where a gradient is checked. */
interface Point {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

/** Below this, a gradient of nothing but tiny numbers is not judged by its own size. */
const LEAST_SCALE = 1e-3;

function compared(
  shape: readonly number[],
  analytic: Float64Array | undefined,
  numeric: Float64Array,
): Pick<InputReport, 'error' | 'worst'> {
  if (!analytic) return { error: Number.NaN, worst: undefined };
  const scale = numeric.reduce((largest, value) => Math.max(largest, Math.abs(value)), LEAST_SCALE);
  const errors = numeric.map((value, j) => Math.abs(value - analytic[j]!) / scale);
  let at = 0;
  // Written so that NaN is the worst.
  for (const [j, error] of errors.entries()) if (!(error <= errors[at]!) && !Number.isNaN(errors[at]!)) at = j;
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const index = shape.map((length, axis) => Math.floor(at / strides[axis]!) % length);
  return { error: errors[at]!, worst: { index, analytic: analytic[at]!, numeric: numeric[at]! } };
}

/** The gradient that comes to the output. */
function upstream(size: number): Float32Array {
  return uniformValues([size], 1, 7);
}

/** Parameters are half of the values: doubling them is exact, and makes each input the result of an operation. */
const HALF = 0.5;

async function output(engine: Engine, operation: (...inputs: Tensor[]) => Tensor, points: readonly Point[]) {
  using result = engine.scope(() => operation(...points.map(({ values, shape }) => engine.tensor(values, shape))));
  return await result.readExact();
}

/** The gradients of those inputs that are not frozen. */
async function gradients(
  engine: Engine,
  operation: (...inputs: Tensor[]) => Tensor,
  points: readonly Point[],
  learned: (input: number) => boolean,
): Promise<(Float64Array | undefined)[]> {
  const parameters = points.map(({ values, shape }, i) => {
    const halves = values.map((value) => HALF * value);
    return learned(i) ? engine.parameter(halves, shape) : engine.scope(() => engine.tensor(halves, shape).share());
  });
  try {
    engine.scope(() =>
      engine.withTape((tape) => {
        const result = operation(...parameters.map((parameter) => affine(parameter, 1 / HALF)));
        if (result.vertex) tape.backward(result, engine.tensor(upstream(result.size), result.shape));
      }),
    );
    return await Promise.all(
      parameters.map(async ({ grad }) => (await grad?.readExact())?.map((value) => HALF * value)),
    );
  } finally {
    for (const parameter of parameters) {
      parameter.zeroGrad();
      parameter.dispose();
    }
  }
}
