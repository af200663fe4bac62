/** The commented file that an experiment with a kernel starts from. */
import { InputError } from '../errors.js';
import type { KernelName } from '../kernels/index.js';
import { type MatmulVariantName, matmulVariants } from '../kernels/index.js';
import { LANES } from '../kernels/webgpu/launch.js';
import { shaderText } from '../kernels/webgpu/programs.js';
import { type BindingContract, bindingContract } from './contract.js';
import { openCase } from './kernel-case.js';
import { type Covers, labKernels } from './kernels/index.js';
import { launchShipped, variantNames } from './shipped.js';
import { SizeBackend } from './size-backend.js';

/** Enough for every variant. */
const ANY_SUBGROUP = 64;

/**
 * A shipped variant (the plainest, unless another is named) as one file, with the contract in its head. Throws InputError where
 * there is no such variant.
 */
export function starterText(kernel: KernelName, variant = variantNames(kernel)[0]!): string {
  const names = variantNames(kernel);
  if (!names.includes(variant)) {
    throw new InputError(`--from ${variant}: ${kernel} has ${names.length === 1 ? 'only' : ''} ${names.join(', ')}`);
  }
  const { extents, equation, caseOf } = labKernels[kernel];
  using open = openCase(new SizeBackend(), caseOf(extents) as never);
  const launch = launchShipped(kernel, variant, open.args, ANY_SUBGROUP)!;
  const covers = shareOf(kernel, variant, launch.workgroups, open.args);
  return `${head(kernel, variant, equation, bindingContract(kernel), covers)}\n${shaderText(launch).trim()}\n`;
}

/** A workgroup's share in a shipped variant. */
function shareOf(kernel: KernelName, variant: string, [groups]: readonly [number, number], args: object): Covers {
  if (kernel === 'matmul') return matmulVariants[variant as MatmulVariantName].tile;
  // One unit a workgroup, or one an invocation.
  return groups === labKernels[kernel].units(args as never) ? 1 : LANES;
}

function head(
  kernel: KernelName,
  variant: string,
  equation: string,
  contract: BindingContract,
  covers: Covers,
): string {
  const { unit, params, bindings, constants, entryPoint } = contract;
  const needs: Readonly<Record<string, string>> = {
    subgroup: 'n % 8 == 0, k % 8 == 0, transposeA == 0',
    rows: 'headWidth == 64',
  };
  const lines = [
    `${kernel}: ${equation}`,
    '',
    `The shipped variant \`${variant}\` in one file, to be changed. Try it:`,
    '',
    `    ptdpc lab run ${kernel} --variant <this file> --watch`,
    '',
    'What it may declare, under these names, all or some, in any order (bindings: 0 is the parameters, then 1, 2, ... without a gap):',
    '',
    `    entry point  ${entryPoint}`,
    `    parameters   ${params.map(({ name, type }) => `${name}: ${type}`).join(', ')}`,
    ...bindings.map(({ name, access }, i) => `    ${i === 0 ? 'buffers   ' : '          '}   ${name} (${access})`),
    ...(constants.size > 0 ? [`    constants    ${[...constants].join(', ')}`] : []),
    '',
    'Cases of the suite that need what the file does not declare are left out, and counted. Two lines say what WGSL cannot: a',
    `workgroup's share of the work (${Array.isArray(covers) ? 'rows x columns of the result' : `counted in: ${unit}`}), from which the grid follows, and, where the kernel does not take all sizes,`,
    'which ones it needs (`lab: needs`, then e.g. `n % 8 == 0, k >= 8`).',
    '',
    `lab: covers ${typeof covers === 'number' ? covers : covers.join(' x ')}`,
    ...(needs[variant] ? [`lab: needs ${needs[variant]}`] : []),
  ];
  return `${lines.map((line) => (line === '' ? '//' : `// ${line}`)).join('\n')}\n`;
}
