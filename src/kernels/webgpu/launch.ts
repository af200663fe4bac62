/** One dispatch: a variant's text with its constants, parameters, buffers and grid, all worked out from a kernel's declaration and arguments. */
import { isBuffer } from '../cost.js';
import {
  type AnyArgs,
  type ArgsOf,
  anyKernel,
  type Covers,
  type Declaration,
  type DeviceBuffer,
  type Kernel,
  type Sizes,
  type Variant,
} from '../definition.js';
import { reflectShader, type ShaderInterface } from './reflect.js';
import { argumentName, assembled, shaderName } from './wgsl-text.js';

/** One dispatch. */
export interface Launch {
  /** For messages: the kernel and its variant. */
  readonly label: string;
  readonly shader: Shader;
  readonly entryPoint: string;
  /** Values of `override` constants; those left out keep the shader's default. */
  readonly constants: Sizes;
  /** Values of `struct Params`, all of them. */
  readonly params: Sizes;
  /** Storage buffers by name; those left out are bound to a dummy (see the shader's HAS_* constants). */
  readonly buffers: Readonly<Record<string, DeviceBuffer | undefined>>;
  /** The buffer that the shader reads as fp16 values. */
  readonly halves?: string | undefined;
  readonly workgroups: readonly [number, number];
}

/** A whole WGSL text, and what it declares. Equal texts are one object. */
export interface Shader {
  readonly id: number;
  readonly text: string;
  readonly interface: ShaderInterface;
}

const shaders = new Map<string, Shader>();

/** The shader of a variant's `wgsl`: a text, or the name of a file in shaders/. Throws Error if it is outside what `reflectShader` reads. */
export function shaderOf(wgsl: string): Shader {
  const known = shaders.get(wgsl);
  if (known) return known;
  const text = assembled(wgsl);
  const shader = { id: shaders.size, text, interface: reflectShader(text) };
  shaders.set(wgsl, shader);
  return shader;
}

/** The limit of a grid axis that every WebGPU adapter has. */
const MAX_AXIS = 65_535;

/** A grid of at least `count` workgroups; the shader computes its linear index and ignores the excess. */
function groupGrid(count: number): readonly [number, number] {
  if (count <= MAX_AXIS) return [count, 1];
  return [MAX_AXIS, Math.ceil(count / MAX_AXIS)];
}

/** A launch whose workgroups are counted on over two axes where one would do; the same launch if its grid has two anyway. */
export function folded(launch: Launch): Launch {
  const [x, y] = launch.workgroups;
  if (x < 2 || y > 1) return launch;
  const width = Math.ceil(x / 3);
  return { ...launch, workgroups: [width, Math.ceil(x / width)] };
}

function gridOf(units: Covers, covers: Covers): readonly [number, number] {
  if (typeof units === 'number') return groupGrid(Math.ceil(units / (covers as number)));
  const [rows, columns] = covers as readonly [number, number];
  return [Math.ceil(units[1] / columns), Math.ceil(units[0] / rows)];
}

/** How a constant follows from a call's arguments; undefined if the kernel has nothing of that name. */
export function constantOf(kernel: Kernel, variant: Variant, name: string): ((args: AnyArgs) => number) | undefined {
  const [, kind, rest = name] = /^(HAS|HALF)_(\w+)$/.exec(name) ?? [];
  const key = argumentName(rest);
  if (kind !== undefined && !(key in kernel.operands)) return undefined;
  if (kind === 'HAS') return (args) => Number(args[key] !== undefined);
  if (kind === 'HALF') return ({ [key]: operand }) => Number(isBuffer(operand) && operand.dtype === 'f16');
  const own = variant.constants?.[key];
  if (own !== undefined) return () => own;
  return key in kernel.options ? (args) => Number(args[key] ?? 0) : undefined;
}

/** What of a launch does not depend on arguments. */
interface Plan {
  readonly label: string;
  readonly shader: Shader;
  readonly constants: readonly (readonly [name: string, of: (args: AnyArgs) => number])[];
  readonly halves: string | undefined;
}

const plans = new WeakMap<Variant, Plan>();

function planOf(kernel: Kernel, variant: Variant): Plan {
  const known = plans.get(variant);
  if (known) return known;
  const shader = shaderOf(variant.wgsl);
  const names = [...shader.interface.constants];
  const unbound = Object.entries(kernel.operands).find(
    ([operand, { optional }]) => !optional && !shader.interface.bindings.some(({ argument }) => argument === operand),
  );
  if (unbound)
    throw new Error(
      `${kernel.name} (${variant.name}): expected a storage binding ${shaderName(unbound[0])}, found none`,
    );
  const plan: Plan = {
    label: `${kernel.name} (${variant.name})`,
    shader,
    constants: names.flatMap((name) => {
      const of = constantOf(kernel, variant, name);
      return of ? [[name, of] as const] : [];
    }),
    halves: names.find((name) => name.startsWith('HALF_')),
  };
  plans.set(variant, plan);
  return plan;
}

/**
 * The launch of a variant. Throws Error if its text has a parameter that the kernel has not, or if an operand is given that its text does not bind.
 */
export function launchOf<D extends Declaration>(kernel: Kernel<D>, variant: Variant, args: ArgsOf<D>): Launch {
  return launch(anyKernel(kernel), variant, args as AnyArgs);
}

function launch(kernel: Kernel, variant: Variant, args: AnyArgs): Launch {
  const { label, shader, constants: known, halves } = planOf(kernel, variant);
  const derived = kernel.derived?.(args);
  const params: Record<string, number> = {};
  for (const { name, argument } of shader.interface.params) {
    const value = derived?.[argument] ?? args[argument];
    if (typeof value !== 'number')
      throw new Error(`${label}: parameter ${name}: expected a number ${argument} among the arguments, found none`);
    params[name] = value;
  }
  const constants: Record<string, number> = {};
  for (const [name, of] of known) constants[name] = of(args);
  const buffers: Record<string, DeviceBuffer | undefined> = {};
  for (const { name, argument } of shader.interface.bindings) {
    const buffer = args[argument];
    if (isBuffer(buffer)) buffers[name] = buffer;
  }
  return {
    label,
    shader,
    entryPoint: variant.entryPoint ?? 'main',
    constants,
    params,
    buffers,
    halves: halves !== undefined && constants[halves] ? shaderName(argumentName(halves.slice(5))) : undefined,
    workgroups: gridOf(kernel.units(args), variant.covers),
  };
}
