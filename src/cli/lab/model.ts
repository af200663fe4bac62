/** `ptdpc lab model`: what bounds a kernel on a GPU that need not be there. */
import { InputError } from '../../errors.js';
import type { Kernel, Sizes } from '../../kernels/index.js';
import {
  boundText,
  type Gpu,
  launchUserKernel,
  type Model,
  type Modelled,
  type ModelledAccess,
  modelKernel,
  modelledVariant,
  RESOURCES,
  readUserKernel,
  requireSizes,
  shippedVariant,
} from '../../lab/index.js';
import { print, printJson, printLines } from '../output.js';
import { percent, table } from '../tables.js';
import { readVariant } from './run.js';

interface Options {
  /** A shipped variant's name, or a WGSL file. */
  variant?: string;
  gpu: Gpu;
  shape?: Sizes;
  json?: boolean;
}

/** Prints the models of a kernel's variants, or of one in detail. Throws InputError for what cannot be modelled. */
export async function printModel(kernel: Kernel, { variant, gpu, shape = {}, json }: Options): Promise<void> {
  requireSizes(kernel, shape, '--shape ');
  if (variant !== undefined) {
    const [of, more] = await modelled(kernel, variant);
    const model = modelKernel(kernel, of, { ...shape, ...more }, [gpu])[0]!;
    if (json) printJson({ gpu: gpuJson(gpu), ...modelJson(model) });
    else printOne(model);
    return;
  }
  const models: Model[] = [];
  const refused: string[] = [];
  for (const one of kernel.variants) {
    try {
      models.push(...modelKernel(kernel, modelledVariant(kernel, one), shape, [gpu]));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      refused.push(error.message);
    }
  }
  if (models.length === 0) throw new InputError(refused[0]!);
  if (json) {
    printJson({ gpu: gpuJson(gpu), models: models.map(modelJson), refused });
    return;
  }
  printHead(models[0]!);
  printLines(
    table([
      [
        'variant',
        'ms at least',
        ...(models[0]!.flops > 0 ? ['GFLOP/s at most'] : []),
        'of best',
        'occupied',
        'bound by',
      ],
      ...models.map(({ variant, least, flops, share, occupancy, bound }) => [
        variant,
        milliseconds(least),
        ...(flops > 0 ? [String(Math.round(flops / least / 1e9))] : []),
        percent(share),
        percent(occupancy.share),
        bound,
      ]),
    ]),
  );
  for (const text of refused) print(text);
  print('');
  for (const model of models) print(`${model.variant}: ${boundText(model)}`);
}

/** What to model, and the sizes that it needs. */
async function modelled(kernel: Kernel, variant: string): Promise<readonly [Modelled, Sizes]> {
  if (!/[./\\]/.test(variant)) return [modelledVariant(kernel, shippedVariant(kernel, variant, '--variant')), {}];
  const user = readUserKernel(kernel, variant, await readVariant(variant));
  const launch: Modelled['launch'] = (args, adapter) => launchUserKernel(user, args, adapter);
  return [{ name: variant, launch }, user.reads[0] === 'f16' ? { half: 1 } : {}];
}

function printHead({ kernel, shape, gpu }: Model): void {
  print(`${kernel} ${shape} on ${gpu.title}: a model, nothing was measured`);
  if (gpu.assumed.length > 0)
    print(`not published by its maker, but measured by others or assumed: ${gpu.assumed.join(', ')}`);
  print('');
}

function printOne(model: Model): void {
  const { variant, grid, invocations, workgroupBytes, counts, accesses, occupancy, seconds, gpu } = model;
  printHead(model);
  const memory = workgroupBytes > 0 ? `, ${workgroupBytes} bytes of workgroup memory` : '';
  print(`${variant}: ${grid} workgroups of ${invocations} invocations${memory}`);
  print(
    `a multiprocessor holds ${occupancy.workgroups} of them, ${percent(occupancy.share)} of its invocations; the limit: ${occupancy.limit}`,
  );
  print(`about ${occupancy.registers} registers an invocation, from the variables that live at once`);
  print('');
  printLines(
    table([
      ['a workgroup executes', 'instructions'],
      ...Object.entries(counts).map(([name, count]) => [name, String(Math.round(count))]),
    ]),
  );
  print('');
  printLines(
    table(
      [
        ['access', 'of', 'bytes', 'requests', 'sectors each', 'of it used', 'conflicts', 'worst', 'cycles'],
        ...accesses.map(accessCells),
      ],
      2,
    ),
  );
  print('');
  printLines(
    table([
      ['resource', 'ms'],
      ...RESOURCES.filter((name) => seconds[name] > 0).map((name) => [name, milliseconds(seconds[name])]),
    ]),
  );
  print('');
  print(boundText(model));
  for (const source of gpu.sources) print(`figures: ${source}`);
}

function accessCells({ text, memory, store, bytes, requests, sectors, used, conflict, worst, cycles }: ModelledAccess) {
  const isBuffer = memory === 'buffer';
  const times = (value: number) => (isBuffer ? '' : value.toFixed(1));
  return [
    `${store ? 'store' : 'load'} ${text.length > 48 ? `${text.slice(0, 45)}...` : text}`,
    isBuffer ? 'buffer' : 'workgroup',
    ...[bytes, Math.round(requests)].map(String),
    isBuffer ? sectors.toFixed(1) : '',
    isBuffer ? percent(used) : '',
    times(conflict),
    times(worst),
    String(Math.round(cycles)),
  ];
}

/** `assumed` says which of the figures the maker does not publish; what is without a limit is left out. */
function gpuJson({ workgroups, ...gpu }: Gpu): object {
  return { ...gpu, ...(Number.isFinite(workgroups) && { workgroups }) };
}

function modelJson({ gpu: _, ...model }: Model): object {
  return { ...model, explanation: boundText({ ...model, gpu: _ }) };
}

function milliseconds(seconds: number): string {
  return (1e3 * seconds).toPrecision(3);
}
