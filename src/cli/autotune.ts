/** `ptdpc autotune`: measures which kernel variants are fastest on this adapter. */
import type { Command } from 'commander';
import { ARCHITECTURES } from '../clip/config/architectures.js';
import type { ClipConfig } from '../clip/index.js';
import { counted, InputError } from '../errors.js';
import type { AdapterSummary, Timing, TuningWork, WebGpuBackend } from '../kernels/index.js';
import type { TuningRecord } from '../node/tuning-file.js';
import { addExamples, jsonOption } from './options.js';
import { print, printJson, printLines, say } from './output.js';
import { progress } from './progress.js';
import { table } from './tables.js';

interface Options {
  model?: string;
  show?: boolean;
  clear?: boolean;
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .description(
      "Measure every kernel that has several variants on this machine's WebGPU adapter, so that all commands use the " +
        'fastest from then on. It takes seconds on a GPU and minutes on a software adapter. The results are stored in the cache ' +
        'directory ($PTDPC_CACHE or ~/.cache/ptdpc) per adapter, driver and set of shaders; after an update of any of these, run it ' +
        'again. Without it, commands use defaults for hardware or software adapters.',
    )
    .option('--model <dir>', "measure this model's sizes (default: those of ViT-B/32)")
    .option('--show', 'show the stored results without measuring')
    .option('--clear', 'delete the stored results of all adapters')
    .addOption(jsonOption())
    .action(autotune);
  addExamples(command, [
    ['ptdpc autotune', 'measure once'],
    ['ptdpc autotune --model clip-l14', "with another model's sizes"],
    ['ptdpc autotune --show', 'what was chosen, and by which figures'],
    ['ptdpc autotune --clear', 'back to the defaults'],
  ]);
}

async function autotune(options: Options): Promise<void> {
  const { describeAdapter } = await import('../kernels/index.js');
  const { installHint } = await import('../node/device.js');
  const { closeGpu, nodeAdapter } = await import('../node/gpu.js');
  const { tuningPath } = await import('../node/tuning-file.js');
  if (options.clear) return clear(options);
  const adapter = await nodeAdapter();
  if (!adapter) throw new InputError(`no WebGPU adapter on this machine, nothing to measure; ${installHint()}`);
  const summary = describeAdapter(adapter);
  try {
    const record = options.show ? await stored(summary) : await measured(adapter, summary, options.model);
    if (options.json) printJson({ file: tuningPath(summary), ...record });
    else for (const line of page(record)) printLines(line);
  } finally {
    closeGpu();
  }
}

async function clear({ json }: Options): Promise<void> {
  const { clearTunings } = await import('../node/tuning-file.js');
  const removed = await clearTunings();
  if (json) printJson({ removed });
  else print(`${counted(removed, 'tuning table')} removed`);
}

async function stored(summary: AdapterSummary): Promise<TuningRecord> {
  const { readTuning } = await import('../node/tuning-file.js');
  const record = await readTuning(summary, say);
  if (!record) throw new InputError(`nothing was measured on ${summary.description} yet; run npx ptdpc autotune`);
  return record;
}

async function measured(
  adapter: GPUAdapter,
  summary: AdapterSummary,
  model: string | undefined,
): Promise<TuningRecord> {
  const { openWebGpu } = await import('../node/device.js');
  const { writeTuning } = await import('../node/tuning-file.js');
  const work = await tuningWork(await sizesOf(model));
  const backend = await openWebGpu(adapter);
  try {
    say(`measuring on ${backend.description}`);
    const record = await measure(backend, summary, work);
    say(`stored in ${await writeTuning(summary, record)}`);
    return record;
  } finally {
    backend.dispose();
  }
}

async function measure(backend: WebGpuBackend, summary: AdapterSummary, work: TuningWork): Promise<TuningRecord> {
  const { measureTuning, tuningSteps } = await import('../kernels/index.js');
  const timings: Timing[] = [];
  using bar = progress(tuningSteps(work), 'measuring', 'sizes');
  const tuning = await measureTuning(backend, work, (more) => {
    timings.push(...more);
    bar.tick(1, more[0]?.work);
  });
  return { adapter: summary.description, measured: new Date().toISOString(), tuning, timings };
}

async function sizesOf(directory: string | undefined): Promise<ClipConfig> {
  const { openModelDirectory } = await import('../node/model-directory.js');
  if (directory === undefined) return ARCHITECTURES.get('ViT-B/32')!;
  await using model = await openModelDirectory(directory);
  return model.config;
}

async function tuningWork(config: ClipConfig): Promise<TuningWork> {
  const { layerProducts } = await import('../clip/index.js');
  const { width, heads, imageSize, patchSize } = config.vision;
  const rows = (imageSize / patchSize) ** 2 + 1;
  return { layers: layerProducts(config), attention: { rows, heads, headWidth: width / heads } };
}

/** A row for each piece of work: its variants' rates, and the chosen one. */
function page({ adapter, measured, tuning, timings }: TuningRecord): string[] {
  const works = [...new Set(timings.map(({ work }) => work))];
  const variants = [...new Set(timings.map(({ variant }) => variant))];
  const chosen = (work: string): string => {
    const [kernel = '', ...shapeClass] = work.split(' ');
    return tuning[kernel]?.byClass[shapeClass.join(' ')] ?? tuning[kernel]?.fallback ?? '';
  };
  const rows = works.map((work) => {
    const of = new Map(
      timings.filter((timing) => timing.work === work).map((timing) => [timing.variant, rate(timing)]),
    );
    return [work, ...variants.map((variant) => of.get(variant) ?? ''), chosen(work)];
  });
  const clocks = new Set(timings.map(({ clock }) => clock).filter((clock) => clock !== undefined));
  return [
    `${adapter}, measured ${measured}${clocks.size > 0 ? ` by the ${[...clocks].join("'s and the ")}'s clock` : ''}`,
    '',
    'GFLOP/s, or the time of a call if the arithmetic of a kernel is not counted; matrix products are named by operand',
    'order (t: transposed), type of the right operand, sizes n x k up to which they count as one, and rows m; for all m',
    'of n x k, only variants that give the same bits are chosen, so that results do not depend on the batch; a variant',
    'without a figure does not take these sizes, or was hopeless on fewer rows',
    table([['work', ...variants, 'chosen'], ...rows]),
    '',
    `other products: ${tuning.matmul?.fallback}`,
  ];
}

/** GFLOP/s with two digits or more, or the time of a call if a kernel's arithmetic is not declared. */
function rate({ gflops, seconds }: Timing): string {
  if (gflops === 0) return `${Math.round(seconds * 1e6)} us`;
  return gflops < 1 ? gflops.toPrecision(2) : gflops.toFixed(1);
}
