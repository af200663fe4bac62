/**
 * The binding contract that a user's WGSL file must keep, and the file read against it.
 *
 * A file is whole: it declares `struct Params`, its bindings and its constants itself, under the contract's names, in any
 * order and as many of them as it needs. Two lines in its comments tell what WGSL cannot:
 *
 *     // lab: covers 16 x 16                  a workgroup's share: rows x columns of the result, or so many units
 *     // lab: needs n % 8 == 0, k >= 8        which arguments the kernel takes; others are left out
 */
import { InputError } from '../errors.js';
import type { KernelName, Kernels } from '../kernels/index.js';
import { groupGrid, type Launch } from '../kernels/webgpu/launch.js';
import { shaderText } from '../kernels/webgpu/programs.js';
import { reflectShader, type ShaderInterface } from '../kernels/webgpu/reflect.js';
import { type KernelCase, sizedArgs } from './kernel-case.js';
import { type Covers, labKernels } from './kernels/index.js';
import { plainLaunch } from './shipped.js';

/** What a file for this kernel may declare, and under which names. */
export interface BindingContract extends ShaderInterface {
  readonly entryPoint: string;
  /** What a share (`covers`) is counted in. */
  readonly unit: string;
  readonly rectangular: boolean;
}

/** The contract of a kernel, read from its plainest shipped variant. */
export function bindingContract(kernel: KernelName): BindingContract {
  const { unit, suite } = labKernels[kernel];
  const args = sizedArgs(suite[0] as KernelCase);
  const launch = plainLaunch(kernel, args);
  const rectangular = typeof labKernels[kernel].units(args as never) !== 'number';
  return { ...reflectShader(shaderText(launch)), entryPoint: launch.entryPoint, unit, rectangular };
}

/** A condition on a call's arguments, from a line `lab: needs`. */
export interface Need {
  readonly text: string;
  /** Whether a call with these arguments meets it. */
  holds(args: object): boolean;
}

/** A kernel in a file of the user's. */
export interface UserKernel<K extends KernelName = KernelName> {
  readonly kernel: K;
  /** For messages. */
  readonly file: string;
  readonly text: string;
  readonly covers: Covers;
  readonly needs: readonly Need[];
  readonly interface: ShaderInterface;
  /** Whether it reads `b` as halves, two to a word. */
  readonly readsHalves: boolean;
}

/** Reads a file against the contract. Throws InputError, which names the file and what the contract has instead. */
export function readUserKernel<K extends KernelName>(kernel: K, file: string, text: string): UserKernel<K> {
  const contract = bindingContract(kernel);
  const fail = (what: string): never => {
    throw new InputError(`${file}: ${what}`);
  };
  let reflected: ShaderInterface;
  try {
    reflected = reflectShader(text);
  } catch (error) {
    return fail((error as Error).message);
  }
  if (!new RegExp(`\\bfn\\s+${contract.entryPoint}\\s*\\(`).test(text)) {
    fail(`expected an entry point ${contract.entryPoint}, found none`);
  }
  for (const { name } of reflected.params) {
    if (!contract.params.some((param) => param.name === name)) {
      fail(`struct Params has ${name}; ${kernel} gives ${listed(contract.params.map((param) => param.name))}`);
    }
  }
  for (const { name, access } of reflected.bindings) {
    const known = contract.bindings.find((binding) => binding.name === name);
    if (!known) fail(`it binds ${name}; ${kernel} has ${listed(contract.bindings.map((binding) => binding.name))}`);
    if (known!.access !== access) fail(`it binds ${name} as ${access}; expected ${known!.access}`);
  }
  return {
    kernel,
    file,
    text,
    covers: coversOf(text, contract, fail),
    needs: needsOf(text, fail),
    interface: reflected,
    readsHalves: kernel === 'matmul' && /\bb\s*:\s*array<\s*(?:u32|vec[234]u|vec[234]<\s*u32\s*>)/.test(text),
  };
}

function coversOf(text: string, { unit, rectangular }: BindingContract, fail: (what: string) => never): Covers {
  const expected = rectangular
    ? '`// lab: covers ROWS x COLUMNS` of the result'
    : `\`// lab: covers NUMBER\` (${unit})`;
  const found = directive(text, 'covers');
  if (found === undefined) return fail(`expected a line ${expected}, a workgroup's share; found none`);
  const numbers = (rectangular ? /^(\d+) *x *(\d+)$/ : /^(\d+)$/).exec(found)?.slice(1).map(Number);
  if (!numbers || numbers.includes(0)) return fail(`expected ${expected}, found "${found}"`);
  return numbers.length === 1 ? numbers[0]! : [numbers[0]!, numbers[1]!];
}

const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '==': (a, b) => a === b,
  '<=': (a, b) => a <= b,
  '>=': (a, b) => a >= b,
};

function needsOf(text: string, fail: (what: string) => never): Need[] {
  return (directive(text, 'needs')?.split(',') ?? []).map((part): Need => {
    const [, name, divisor, comparison, right] =
      /^\s*(\w+)(?:\s*%\s*([1-9]\d*))?\s*(==|<=|>=)\s*(\d+)\s*$/.exec(part) ?? [];
    if (name === undefined) return fail(`expected a need such as "n % 8 == 0" or "k >= 8", found "${part.trim()}"`);
    const holds = (args: object): boolean => {
      // An option that is not given is off.
      const value = Number(Reflect.get(args, name) ?? 0);
      return COMPARISONS[comparison!]!(divisor === undefined ? value : value % Number(divisor), Number(right));
    };
    return { text: part.trim(), holds };
  });
}

/** What follows the name in the first line `// lab: NAME ...`. Line by line: one expression for all would search blank lines again and again. */
function directive(text: string, name: string): string | undefined {
  for (const line of text.split(/[\n\r]/)) {
    const trimmed = line.trim();
    if (!trimmed.startsWith('//')) continue;
    const comment = trimmed.slice(2).trimStart();
    if (!comment.startsWith('lab:')) continue;
    const words = comment.slice(4).trimStart();
    if (words.startsWith(name) && !/^\S/.test(words.slice(name.length))) return words.slice(name.length).trimStart();
  }
  return undefined;
}

/** The launch of a user's kernel, or why it does not take these arguments. */
export function launchUserKernel<K extends KernelName>(user: UserKernel<K>, args: Kernels[K]): Launch | string {
  const unmet = user.needs.find((need) => !need.holds(args));
  if (unmet) return `it needs ${unmet.text}`;
  const launch = plainLaunch(user.kernel, args);
  const { params, bindings, constants } = user.interface;
  const values = Object.entries(launch.constants ?? {});
  const missing = values.find(([name, value]) => value !== 0 && !constants.has(name));
  if (missing) return `it has no constant ${missing[0]}`;
  const bound = (name: string) => bindings.some((binding) => binding.name === name);
  const unbound = Object.keys(launch.buffers).find((name) => launch.buffers[name] && !bound(name));
  if (unbound) return `it does not bind ${unbound}`;
  if (user.kernel === 'matmul' && user.readsHalves !== (launch.halves === 'b')) {
    return user.readsHalves ? 'it reads b in half precision' : 'it reads b in single precision';
  }
  return {
    ...launch,
    source: user.text,
    constants: Object.fromEntries(values.filter(([name]) => constants.has(name))),
    params: Object.fromEntries(params.map(({ name }) => [name, launch.params[name]!])),
    buffers: Object.fromEntries(bindings.map(({ name }) => [name, launch.buffers[name]])),
    workgroups: gridOf(labKernels[user.kernel].units(args), user.covers),
  };
}

/** Workgroups along x and y. */
function gridOf(units: Covers, covers: Covers): readonly [number, number] {
  if (typeof units === 'number' || typeof covers === 'number')
    return groupGrid(Math.ceil(Number(units) / Number(covers)));
  return [Math.ceil(units[1] / covers[1]), Math.ceil(units[0] / covers[0])];
}

function listed(names: readonly string[]): string {
  return names.join(', ');
}
