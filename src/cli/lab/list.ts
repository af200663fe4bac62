/** `ptdpc lab list`: kernels, variants, and the shapes that the two jobs use. */
import { ARCHITECTURES } from '../../clip/config.js';
import { sizeNames } from '../../kernels/cases.js';
import { allKernels, type Kernel } from '../../kernels/index.js';
import { JOBS, type Job, type RecordedShape, recordJob, variantNames } from '../../lab/index.js';
import { print, printJson, printLines } from '../output.js';
import { table } from '../tables.js';

interface Options {
  json?: boolean;
}

export async function listKernels(only: Kernel | undefined, { json }: Options): Promise<void> {
  const config = ARCHITECTURES.get('ViT-B/32')!;
  const jobs = { embed: await recordJob('embed', config), train: await recordJob('train', config) };
  const chosen = only === undefined ? allKernels() : [only];
  if (json) {
    printJson({
      jobs: JOBS,
      kernels: chosen.map((kernel) => {
        const { extents, options } = sizeNames(kernel);
        const shapes = Object.fromEntries(Object.entries(jobs).map(([job, all]) => [job, of(kernel, all).map(flat)]));
        const { name, formula, cases } = kernel;
        return {
          kernel: name,
          equation: formula,
          variants: variantNames(kernel),
          extents,
          options,
          cases: cases.suite.length,
          shapes,
        };
      }),
    });
    return;
  }
  for (const [job, what] of Object.entries(JOBS)) print(`${job}: ${what}`);
  print('');
  if (only === undefined) printLines(overview(chosen, jobs));
  else printKernel(only, jobs);
}

type Jobs = Readonly<Record<Job, readonly RecordedShape[]>>;

function overview(chosen: readonly Kernel[], jobs: Jobs): string {
  const columns = (shapes: readonly RecordedShape[]): string[] => {
    const calls = shapes.reduce((sum, shape) => sum + shape.calls, 0);
    const total = (value: (shape: RecordedShape) => number) =>
      shapes.reduce((sum, shape) => sum + shape.calls * value(shape), 0);
    if (calls === 0) return ['', '', '', ''];
    return [
      String(calls),
      String(shapes.length),
      giga(total(({ cost }) => cost.flops)),
      mega(total(({ cost }) => cost.bytes)),
    ];
  };
  const heads = (job: Job) => [`${job}: calls`, 'shapes', 'GFLOP', 'MB'];
  return table([
    ['kernel', 'cases', ...heads('embed'), ...heads('train'), 'variants'],
    ...chosen.map((kernel) => [
      kernel.name,
      String(kernel.cases.suite.length),
      ...columns(of(kernel, jobs.embed)),
      ...columns(of(kernel, jobs.train)),
      variantNames(kernel).join(' '),
    ]),
  ]);
}

function printKernel(kernel: Kernel, jobs: Jobs): void {
  const { extents, options } = sizeNames(kernel);
  const text = (sizes: object) => Object.entries(sizes).map(([name, value]) => `${name}=${value}`);
  print(`${kernel.name}: ${kernel.formula}`);
  print(`variants: ${variantNames(kernel).join(', ')}; ${kernel.cases.suite.length} cases in its suite`);
  print(`--shape:  ${[...text(extents), ...text(options)].join(',')} unless given`);
  for (const [job, all] of Object.entries(jobs)) {
    const shapes = of(kernel, all);
    if (shapes.length === 0) continue;
    print('');
    printLines(
      table([
        [job, 'calls', 'MFLOP a call', 'MB a call'],
        ...shapes.map(({ shape, calls, cost }) => [shape, String(calls), mega(cost.flops), mega(cost.bytes)]),
      ]),
    );
  }
}

function of({ name }: Kernel, shapes: readonly RecordedShape[]): RecordedShape[] {
  return shapes.filter((shape) => shape.kernel === name);
}

function flat({ shape, calls, cost }: RecordedShape): object {
  return { shape, calls, flops: cost.flops, bytes: cost.bytes };
}

function giga(value: number): string {
  return value === 0 ? '' : (value / 1e9).toFixed(2);
}

function mega(value: number): string {
  return value === 0 ? '' : (value / 1e6).toFixed(2);
}
