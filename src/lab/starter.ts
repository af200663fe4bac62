/** The commented file that an experiment with a kernel starts from. */
import { InputError } from '../errors.js';
import type { Covers, Kernel, Variant } from '../kernels/index.js';
import { variantNamed } from '../kernels/webgpu/tuning.js';
import { argumentName, assembled } from '../kernels/webgpu/wgsl-text.js';
import { type BindingContract, bindingContract } from './contract.js';
import { variantNames } from './shipped.js';

/** A shipped variant: the plainest, unless another is named. Throws InputError if there is no such variant. */
export function shippedVariant(kernel: Kernel, name = kernel.variants[0]!.name, option = '--from'): Variant {
  const variant = variantNamed(kernel, name);
  if (variant) return variant;
  const names = variantNames(kernel);
  throw new InputError(`${option} ${name}: ${kernel.name} has ${names.length === 1 ? 'only ' : ''}${names.join(', ')}`);
}

/** The same as one file, with the contract in its head. Throws InputError if there is no such variant. */
export function starterText(kernel: Kernel, name?: string): string {
  const variant = shippedVariant(kernel, name);
  const contract = bindingContract(kernel);
  const text = entryPointsSwapped(variantText(kernel, variant), variant.entryPoint ?? 'main', contract.entryPoint);
  return `${head(kernel, variant, contract, variant.covers)}\n${text.trim()}\n`;
}

/** A text in which one entry point has the name of the other: the laboratory runs the one of the contract. No function can call either. */
function entryPointsSwapped(text: string, one: string, other: string): string {
  const names: Readonly<Record<string, string>> = { [one]: other, [other]: one };
  return text.replaceAll(/\bfn (\w+)\(/g, (whole, name: string) =>
    Object.hasOwn(names, name) ? `fn ${names[name]}(` : whole,
  );
}

/** A variant's whole text: its file, with those that it includes, and the constants that only this variant sets as defaults. */
export function variantText(kernel: Kernel, variant: Variant): string {
  const contract = bindingContract(kernel);
  let text = assembled(variant.wgsl).replaceAll(/^\/\/ #include .*\n\n?/gm, '');
  for (const [, name] of text.matchAll(/^override (\w+)/gm)) {
    const value = variant.constants?.[argumentName(name!)];
    if (value === undefined || contract.constants.has(name!)) continue;
    text = text.replace(new RegExp(`(override ${name}: u32 = )\\d+;`), `$1${value};`);
  }
  return text;
}

function head({ name: kernel, formula }: Kernel, variant: Variant, contract: BindingContract, covers: Covers): string {
  const { unit, params, bindings, constants, entryPoint } = contract;
  const { needs } = variant;
  const lines = [
    `${kernel}: ${formula}`,
    '',
    `The shipped variant \`${variant.name}\` in one file, to be changed. Try it:`,
    '',
    `    npx ptdpc lab run ${kernel} --variant <this file> --watch`,
    '',
    'What it may declare, under these names, all or some, in any order. Binding 0 is the parameters; 1, 2, ... the buffers,',
    'without a gap.',
    '',
    ...column('entry point', [entryPoint]),
    ...column(
      'parameters',
      params.map(({ name, type }) => `${name}: ${type}`),
    ),
    ...column(
      'buffers',
      bindings.map(({ name, access }) => `${name} (${access})`),
    ),
    ...column('constants', [...constants]),
    '',
    'Cases of the suite that need what the file does not declare are left out, and counted. Two lines say what WGSL cannot:',
    `a workgroup's share of the work (${typeof covers === 'number' ? `counted in: ${unit}` : 'rows x columns of the result'}), from which the grid follows; and, where the`,
    'kernel does not take all sizes, which ones it needs (`lab: needs`, then e.g. `n % 8 == 0, k >= 8`).',
    '',
    `lab: covers ${typeof covers === 'number' ? covers : covers.join(' x ')}`,
    ...(needs === undefined ? [] : [`lab: needs ${needs}`]),
  ];
  return `${lines.map((line) => (line === '' ? '//' : `// ${line}`)).join('\n')}\n`;
}

/** A name, and values beside it, as many to a line as fit. */
function column(name: string, values: readonly string[]): string[] {
  const lines: string[] = [];
  for (const value of values) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + value.length < 90) lines[lines.length - 1] = `${last}, ${value}`;
    else lines.push(value);
  }
  return lines.map((line, i) => `    ${(i === 0 ? name : '').padEnd(12)} ${line}`);
}
