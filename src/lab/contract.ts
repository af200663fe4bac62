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
import { type AnyArgs, anyKernel, type Covers, type Kernel, type Variant } from '../kernels/index.js';
import { type AdapterFacts, parseNeeds, unmetNeed } from '../kernels/needs.js';
import { constantOf, type Launch, launchOf, shaderOf } from '../kernels/webgpu/launch.js';
import { reflectShader, type ShaderInterface } from '../kernels/webgpu/reflect.js';
import { argumentName, assembled, shaderName } from '../kernels/webgpu/wgsl-text.js';

/** What a file for this kernel may declare, and under which names. */
export interface BindingContract extends ShaderInterface {
  readonly entryPoint: string;
  /** What a share (`covers`) is counted in. */
  readonly unit: string;
  readonly rectangular: boolean;
}

/** The contract of a kernel, read from its plainest shipped variant. */
export function bindingContract(kernel: Kernel): BindingContract {
  const { unit, variants, operands } = kernel;
  const plainest = variants[0]!;
  const { params, bindings, constants } = shaderOf(plainest.wgsl).interface;
  return {
    params,
    bindings: bindings.filter(({ argument }) => argument in operands),
    constants: new Set([...constants].filter((name) => constantOf(kernel, { ...plainest, constants: {} }, name))),
    entryPoint: plainest.entryPoint ?? 'main',
    unit,
    rectangular: typeof plainest.covers !== 'number',
  };
}

/** A kernel in a file of the user's. */
export interface UserKernel {
  readonly kernel: Kernel;
  /** For messages. */
  readonly file: string;
  readonly text: string;
  /** The file as a variant of the kernel. */
  readonly variant: Variant;
  readonly interface: ShaderInterface;
  /** The precisions of weights that it reads: halves two to a word, if it declares them as words. */
  readonly reads: readonly ('f32' | 'f16')[];
}

/** Reads a file against the contract. Throws InputError, which names the file and what the contract has instead. */
export function readUserKernel(of: Kernel, file: string, text: string): UserKernel {
  const kernel = anyKernel(of);
  const contract = bindingContract(kernel);
  const fail = (what: string): never => {
    throw new InputError(`${file}: ${what}`);
  };
  let reflected: ShaderInterface;
  let whole: string;
  try {
    whole = assembled(text);
    reflected = reflectShader(whole);
  } catch (error) {
    return fail((error as Error).message);
  }
  if (!new RegExp(`\\bfn\\s+${contract.entryPoint}\\s*\\(`).test(text)) {
    fail(`expected an entry point ${contract.entryPoint}, found none`);
  }
  for (const { name } of reflected.params) {
    if (!contract.params.some((param) => param.name === name)) {
      fail(`struct Params has ${name}; ${kernel.name} gives ${listed(contract.params.map((param) => param.name))}`);
    }
  }
  for (const { name, access } of reflected.bindings) {
    // What only other entry points of a shipped file use may stay.
    const known = shaderOf(kernel.variants[0]!.wgsl).interface.bindings.find((binding) => binding.name === name);
    if (!known)
      fail(`it binds ${name}; ${kernel.name} has ${listed(contract.bindings.map((binding) => binding.name))}`);
    if (known!.access !== access) fail(`it binds ${name} as ${access}; expected ${known!.access}`);
  }
  const needs = directive(text, 'needs');
  const parsed = needs === undefined ? [] : parseNeeds(needs);
  if (typeof parsed === 'string') fail(parsed);
  const variant = {
    name: file,
    wgsl: text,
    entryPoint: contract.entryPoint,
    covers: coversOf(text, contract, fail),
    ...(needs !== undefined && { needs }),
  };
  return { kernel, file, text, variant, interface: reflected, reads: precisionsOf(whole) };
}

/** Words are halves, unless a constant says which of the two; so are numbers of type f16. */
function precisionsOf(text: string): UserKernel['reads'] {
  if (/\boverride\s+HALF_B\b/.test(text)) return ['f32', 'f16'];
  return /\bb\s*:\s*array<\s*(?:u32|vec[234]u|vec[234]<\s*u32\s*>|f16|vec[24]h|vec[24]<\s*f16\s*>)/.test(text)
    ? ['f16']
    : ['f32'];
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
export function launchUserKernel(user: UserKernel, args: AnyArgs, adapter: AdapterFacts): Launch | string {
  const { kernel, variant } = user;
  const unmet = unmetNeed(variant, args, adapter);
  if (unmet) return `it needs ${unmet}`;
  const plainest = kernel.variants[0]!;
  for (const name of bindingContract(kernel).constants) {
    const operand = /^HALF_(\w+)$/.exec(name)?.[1];
    if (operand !== undefined) {
      const { dtype } = args[argumentName(operand)] as { dtype: 'f32' | 'f16' };
      if (!user.reads.includes(dtype))
        return `it reads ${argumentName(operand)} in ${dtype === 'f16' ? 'single' : 'half'} precision`;
    } else if (!user.interface.constants.has(name) && constantOf(kernel, plainest, name)!(args) !== 0) {
      return `it has no constant ${name}`;
    }
  }
  const { bindings } = user.interface;
  const unbound = Object.entries(kernel.operands).find(
    ([name]) => args[name] !== undefined && !bindings.some(({ argument }) => argument === name),
  );
  if (unbound) return `it does not bind ${shaderName(unbound[0])}`;
  const launch = launchOf(kernel, variant, args);
  const halves = bindings.find(
    ({ argument }) => (args[argument] as { dtype: string } | undefined)?.dtype === 'f16',
  )?.name;
  return { ...launch, label: user.file, halves };
}

function listed(names: readonly string[]): string {
  return names.join(', ');
}
