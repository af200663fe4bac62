/** The commented file that an experiment with a kernel starts from. */
import { InputError } from '../errors.js';
import type { KernelName } from '../kernels/index.js';
import { type MatmulVariantName, matmulVariants } from '../kernels/index.js';
import { isAttention } from '../kernels/webgpu/attention.js';
import { LANES, type Launch } from '../kernels/webgpu/launch.js';
import type { MatmulVariant } from '../kernels/webgpu/matmul.js';
import { shaderText } from '../kernels/webgpu/programs.js';
import { type BindingContract, bindingContract } from './contract.js';
import { type KernelCase, sizedArgs } from './kernel-case.js';
import { type Covers, labKernels } from './kernels/index.js';
import { launchShipped, variantNames } from './shipped.js';

/** Enough for every variant. */
const ANY_SUBGROUP = 64;

/**
 * A shipped variant (the plainest, unless another is named) as one file, with the contract in its head. Throws InputError if
 * there is no such variant.
 */
export function starterText(kernel: KernelName, variant = variantNames(kernel)[0]!): string {
  const names = variantNames(kernel);
  if (!names.includes(variant)) {
    throw new InputError(`--from ${variant}: ${kernel} has ${names.length === 1 ? 'only ' : ''}${names.join(', ')}`);
  }
  const { extents, equation, caseOf } = labKernels[kernel];
  const args = sizedArgs(caseOf(extents) as KernelCase);
  const launch = launchShipped(kernel, variant, args, ANY_SUBGROUP)!;
  const covers = shareOf(kernel, variant, launch.workgroups, args);
  const contract = bindingContract(kernel);
  return `${head(kernel, variant, equation, contract, covers)}\n${withOwnConstants(launch, contract).trim()}\n`;
}

/** A variant's text, in which the constants that only this variant sets have its values as defaults. */
function withOwnConstants(launch: Launch, contract: BindingContract): string {
  let text = shaderText(launch);
  for (const [name, value] of Object.entries(launch.constants ?? {})) {
    if (contract.constants.has(name)) continue;
    text = text.replace(new RegExp(`(override ${name}: u32 = )\\d+;`), `$1${value};`);
  }
  return text;
}

/** A workgroup's share in a shipped variant. */
function shareOf(kernel: KernelName, variant: string, [groups]: readonly [number, number], args: object): Covers {
  if (kernel === 'matmul') return matmulVariants[variant as MatmulVariantName].tile;
  // One unit a workgroup, or one per invocation.
  return groups === labKernels[kernel].units(args as never) ? 1 : LANES;
}

/** The sizes that a shipped variant needs; undefined if it takes all. */
function needsOf(kernel: KernelName, variant: string): string | undefined {
  if (kernel === 'matmul') {
    const { step }: MatmulVariant = matmulVariants[variant as MatmulVariantName];
    return step !== undefined ? `n % ${step} == 0, k % ${step} == 0, transposeA == 0` : undefined;
  }
  return isAttention(kernel) && variant !== 'workgroup' ? 'headWidth == 64' : undefined;
}

function head(
  kernel: KernelName,
  variant: string,
  equation: string,
  contract: BindingContract,
  covers: Covers,
): string {
  const { unit, params, bindings, constants, entryPoint } = contract;
  const needs = needsOf(kernel, variant);
  const lines = [
    `${kernel}: ${equation}`,
    '',
    `The shipped variant \`${variant}\` in one file, to be changed. Try it:`,
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
