/** A kernel called with tensors: shapes are matched with its declaration, outputs allocated, and a kernel of one's own declared in a few lines. */
import {
  type AnyArgs,
  type AxesOf,
  type Declaration,
  type Kernel,
  kernel,
  type Operands,
  type Option,
  type Sizes,
  type TwinArgs,
} from '../kernels/index.js';
import { type AxisPattern, lengthOf, type ShapePattern, storedPattern } from '../kernels/shapes.js';
import type { Engine } from './engine.js';
import { Tensor } from './tensor.js';

type With<O extends Operands, Condition> = { [N in keyof O]: O[N] extends Condition ? N : never }[keyof O];
type Output = { readonly access: 'write' | 'part' };
type Optional = { readonly optional: true };
type Inputs<O extends Operands> = Exclude<keyof O, With<O, Output>>;

/** What a kernel is called with. Axes follow from the inputs' shapes; those that only outputs have must be given. */
export type Given<D extends Declaration> = {
  readonly [N in Exclude<Inputs<D['operands']>, With<D['operands'], Optional>>]: Tensor;
} & { readonly [N in Extract<Inputs<D['operands']>, With<D['operands'], Optional>>]?: Tensor | undefined } & {
  readonly [N in With<D['operands'], Output>]?: Tensor | boolean | undefined;
} & { readonly [N in Exclude<AxesOf<D['operands']>, keyof D['scalars']>]?: number } & {
  readonly [N in keyof D['scalars']]: number;
} & { readonly [N in keyof D['options']]?: Option | undefined };

/** What a kernel wrote, by name. */
export type Outputs<D extends Declaration> = {
  readonly [N in Exclude<With<D['operands'], Output>, With<D['operands'], Optional>>]: Tensor;
} & { readonly [N in Extract<With<D['operands'], Output>, With<D['operands'], Optional>>]: Tensor | undefined };

/** Matches the inputs with the declaration and makes the outputs. Throws Error where they do not fit. */
export function resolveCall<D extends Declaration>(
  engine: Engine,
  { operands, scalars, options, name }: Kernel<D>,
  given: Given<D>,
  operation = name,
): { args: AnyArgs; outputs: Outputs<D> } {
  const values = given as Readonly<Record<string, Tensor | Option | undefined>>;
  const shapes = new Shapes(operation);
  const args: Record<string, AnyArgs[string]> = {};
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined || value instanceof Tensor || key in operands) continue;
    args[key] = value;
    if (typeof value === 'number') shapes.lengths[key] = value;
  }
  for (const key of Object.keys(scalars)) {
    if (typeof args[key] !== 'number') throw new Error(`${operation}: expected a number ${key}, found ${args[key]}`);
  }
  for (const key of Object.keys(options)) args[key] ??= 0;
  for (const [key, operand] of Object.entries(operands)) {
    const tensor = values[key];
    if (!(tensor instanceof Tensor)) {
      if (!operand.optional && operand.access !== 'write' && operand.access !== 'part')
        throw new Error(`${operation}: expected a tensor ${key}, found ${tensor}`);
      continue;
    }
    const fits = operand.type === 'weights' ? tensor.dtype !== 'i32' : tensor.dtype === operand.type;
    if (!fits) throw new Error(`${operation}: expected ${key} of ${TYPES[operand.type]}, found ${tensor.dtype}`);
    shapes.match(key, tensor.shape, storedPattern(operand, values));
    args[key] = tensor.buffer;
  }
  shapes.settle();
  const outputs: Record<string, Tensor | undefined> = {};
  for (const [key, operand] of Object.entries(operands)) {
    if (operand.access !== 'write' && operand.access !== 'part') continue;
    const wanted = values[key];
    if (wanted instanceof Tensor) outputs[key] = wanted;
    else if (!operand.optional || wanted === true) {
      const made = engine.empty(shapes.shapeOf(key, storedPattern(operand, values)));
      outputs[key] = made;
      args[key] = made.buffer;
    } else outputs[key] = undefined;
  }
  return { args: { ...args, ...shapes.lengths }, outputs: outputs as Outputs<D> };
}

const TYPES = {
  f32: 'numbers (f32)',
  i32: 'whole numbers (i32, as engine.indices makes)',
  weights: 'numbers (f32 or f16)',
} as const;

/** The axes of one call, learnt from one shape after the other. */
class Shapes {
  readonly lengths: Record<string, number> = {};
  readonly #operation: string;
  /** The leading axes of a tensor that count as one, by its name. */
  readonly #spread = new Map<string, readonly number[]>();
  readonly #open: (() => boolean)[] = [];

  constructor(operation: string) {
    this.#operation = operation;
  }

  match(name: string, shape: readonly number[], pattern: ShapePattern): void {
    const { axes, spread } = pattern;
    const free = shape.length - axes.length;
    // Names that this very tensor has told.
    const told = new Set<string>();
    const fail = (): never => {
      const known = (axis: AxisPattern) =>
        axis.names.some((one) => told.has(one)) ? undefined : lengthOf(axis, this.lengths);
      const expected = axes.map((axis) => known(axis) ?? axis.text);
      throw new Error(
        `${this.#operation}: expected ${name} [${spread ? '...' : ''}${expected.join(', ')}], found [${shape.join(', ')}]`,
      );
    };
    // Of a spread axis there may be none: a vector is one row.
    if (free < (spread ? -1 : 0) || (free > 0 && !spread)) fail();
    const leading = shape.slice(0, free + 1);
    axes.forEach((axis, i) => {
      const length = i === 0 ? leading.reduce((product, one) => product * one, 1) : shape[free + i]!;
      if (i === 0 && spread && !this.#spread.has(axis.text)) this.#spread.set(axis.text, leading);
      // False while more than one of its names is unknown.
      const learn = (): boolean => {
        const unknown = axis.names.filter((one) => this.lengths[one] === undefined);
        if (unknown.length > 1) return false;
        if (unknown.length === 0) {
          if (lengthOf(axis, this.lengths) !== length) fail();
          return true;
        }
        const known = { ...this.lengths, [unknown[0]!]: 1 };
        const own = length / lengthOf(axis, known)!;
        if (!Number.isInteger(own)) fail();
        this.lengths[unknown[0]!] = own;
        told.add(unknown[0]!);
        return true;
      };
      if (!learn()) this.#open.push(learn);
    });
  }

  /** Learns what had to wait for others. */
  settle(): void {
    for (let before = -1; this.#open.length !== before; ) {
      before = this.#open.length;
      const again = this.#open.splice(0);
      this.#open.push(...again.filter((learn) => !learn()));
    }
  }

  shapeOf(name: string, { axes, spread }: ShapePattern): number[] {
    return axes.flatMap((axis, i) => {
      const length = lengthOf(axis, this.lengths);
      if (length === undefined)
        throw new Error(`${this.#operation}: the shape of ${name} does not follow from the inputs: give ${axis.text}`);
      return i === 0 && spread ? (this.#spread.get(axis.text) ?? length) : length;
    });
  }
}

/**
 * A kernel of one's own. Its WGSL declares `struct Params`, storage bindings from 1 on and an entry point `main`, under the names of operands, axes
 * and scalars in snake case; it may include files of shaders/, such as `// #include "grid.wgsl"`.
 */
export interface OwnKernel<O extends Operands, S extends Sizes> {
  readonly name: string;
  readonly wgsl: string;
  readonly operands: O;
  readonly scalars?: S;
  /** Elements of the first output that a workgroup computes. Default 64, one for each invocation of `@workgroup_size(64)`. */
  readonly covers?: number;
  /** Its definition in TypeScript, by which it runs on the CPU. */
  twin?(args: TwinArgs<{ operands: NoInfer<O>; scalars: NoInfer<S>; options: Record<never, never> }>): void;
}

/** Declares a kernel of one's own. Throws Error if it has no output. */
export function ownKernel<const O extends Operands, const S extends Sizes = Record<never, never>>({
  name,
  wgsl,
  operands,
  scalars = {} as S,
  covers = 64,
  twin,
}: OwnKernel<O, S>): Kernel<{ operands: O; scalars: S; options: Record<never, never> }> {
  const output = Object.entries(operands).find(([, { access }]) => access !== 'read')?.[0];
  if (output === undefined) throw new Error(`${name}: expected an operand that it writes`);
  return kernel<O, S>({
    name,
    formula: name,
    operands,
    scalars,
    twin:
      twin ??
      (() => {
        throw new Error(`${name}: it has no twin, so it does not run on the CPU; give one, or open WebGPU`);
      }),
    variants: [{ name: 'own', wgsl, covers }],
    unit: 'element',
    units: (args) => (args as AnyArgs as Record<string, { length: number }>)[output]!.length,
    cases: { sizes: {}, suite: [] },
  });
}
