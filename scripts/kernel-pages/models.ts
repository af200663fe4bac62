/** What the model of the laboratory says of kernels on three GPUs: tables of the pages. */
import { InputError } from '../../src/errors.js';
import { kernelNamed } from '../../src/kernels/index.js';
import {
  GPUS,
  type Gpu,
  type Model,
  type ModelledAccess,
  modelKernel,
  modelledVariant,
  parseSizes,
  peakOf,
} from '../../src/lab/index.js';
import { digits, table } from './figures.js';
import { rateOf, rooflinePath, rooflineText } from './roofline.js';

/** The GPUs of the pages. */
const SHOWN = ['h100', 'rtx-4090', 'm4-max'].map((name) => GPUS.find((gpu) => gpu.name === name)!);

interface Models {
  /** Of all variants that take the sizes, GPU by GPU. */
  readonly byGpu: readonly (readonly Model[])[];
  /** Why others are not among them. */
  readonly refused: readonly string[];
}

const known = new Map<string, Models>();

/** The models of a kernel's variants. Takes up to a second a variant. */
export function modelsOf(name: string, sizes: string): Models {
  const key = `${name} ${sizes}`;
  const before = known.get(key);
  if (before) return before;
  const kernel = kernelNamed(name);
  const refused: string[] = [];
  const byVariant = kernel.variants.flatMap((variant) => {
    try {
      return [modelKernel(kernel, modelledVariant(kernel, variant), parseSizes(sizes), SHOWN)];
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      refused.push(error.message);
      return [];
    }
  });
  const models = { byGpu: SHOWN.map((_, i) => byVariant.map((all) => all[i]!)), refused };
  known.set(key, models);
  return models;
}

/** What a workgroup of each variant does, the chart, and what bounds it. */
export function modelBlock(name: string, sizes: string): string {
  const { byGpu, refused } = modelsOf(name, sizes);
  const [counted] = byGpu as [readonly Model[]];
  const { flops, shape } = counted[0]!;
  return [
    `\`${shape}\`. A workgroup's accesses, one for a subgroup of 32 (on ${SHOWN[0]!.title}):`,
    '',
    table(
      [
        'variant',
        'invocations',
        'arithmetic',
        'accesses to buffers',
        'sectors each',
        'of it used',
        'to workgroup memory',
        'conflicts: loads, stores',
        'registers',
      ],
      counted.map(countCells),
    ),
    '',
    `![${rooflineText(byGpu)}](../${rooflinePath(name)})`,
    '',
    table(
      ['variant', ...SHOWN.map(({ title }) => title)],
      counted.map(({ variant }, i) => [
        `\`${variant}\``,
        ...byGpu.map((models) => {
          const { bound, occupancy, share, gpu, ...model } = models[i]!;
          const rate = flops > 0 ? `${digits(rateOf(model) / 1e12)} TFLOP/s` : `${digits(share * gpu.bandwidth)} GB/s`;
          return `${rate} (${percent(share)}), by ${bound}; ${percent(occupancy.share)} occupied`;
        }),
      ]),
      'left',
    ),
    '',
    `<small>A model: nothing was measured on these GPUs for this table. The rate is the most that the bound allows, and its share of the ${flops > 0 ? 'peak' : "memory's"} rate. [How it is worked out, and how it compares with measurements](../gpu-estimate.md#a-model-of-each-kernel); \`ptdpc lab model ${name}\` has each access.${refused.length > 0 ? ` Not on this shape: ${refused.join('; ')}.` : ''}</small>`,
  ].join('\n');
}

function countCells({ variant, invocations, counts, accesses, occupancy }: Model): string[] {
  const of = (memory: ModelledAccess['memory']) => accesses.filter((access) => access.memory === memory);
  const sum = (all: readonly ModelledAccess[], value: (access: ModelledAccess) => number) =>
    all.reduce((total, access) => total + value(access), 0);
  const requests = (all: readonly ModelledAccess[]) => sum(all, (access) => access.requests);
  const buffers = of('buffer');
  const sectors = sum(buffers, (access) => access.requests * access.sectors);
  const used = sum(buffers, (access) => access.requests * access.sectors * access.used);
  const own = of('workgroup memory');
  const conflict = (store: boolean) => {
    const some = own.filter((access) => access.store === store);
    const cycles = sum(some, (access) => access.cycles);
    return digits(cycles / (cycles - sum(some, (access) => access.conflictCycles)));
  };
  const whole = (value: number) => Math.round(value).toLocaleString('en');
  return [
    `\`${variant}\``,
    whole(invocations),
    whole(counts.arithmetic),
    whole(requests(buffers)),
    digits(sectors / requests(buffers)),
    percent(used / sectors),
    own.length > 0 ? whole(requests(own)) : 'none',
    own.length > 0 ? `${conflict(false)}, ${conflict(true)}` : '',
    whole(occupancy.registers),
  ];
}

/** The figures of the GPUs, and where they are from. */
export function gpuBlock(): string {
  const star = (gpu: Gpu, field: keyof Gpu, text: string) => (gpu.assumed.includes(field) ? `${text}*` : text);
  const kib = (bytes: number) => `${bytes / 1024} KiB`;
  const row = (what: string, of: (gpu: Gpu) => string) => [what, ...GPUS.map(of)];
  const number = (what: string, field: keyof Gpu, unit = '') =>
    row(what, (gpu) => star(gpu, field, `${gpu[field]}${unit}`));
  return [
    table(
      ['', ...GPUS.map(({ name, title }) => `${title} (\`${name}\`)`)],
      [
        row('peak', (gpu) => star(gpu, 'clock', `${digits(peakOf(gpu) / 1e12)} TFLOP/s`)),
        number('device memory', 'bandwidth', ' GB/s'),
        row('shared cache', ({ cache }) => (cache === undefined ? 'not published' : `${cache / 2 ** 20} MiB`)),
        number('multiprocessors', 'multiprocessors'),
        number('clock', 'clock', ' GHz'),
        number('multiply-adds a cycle', 'arithmetic'),
        number('special functions a cycle', 'special'),
        number('smallest transfer', 'sector', ' bytes'),
        number('loads and stores, a cycle', 'loads', ' bytes'),
        number('from the shared cache, a cycle', 'refill', ' bytes'),
        number('banks of workgroup memory', 'banks'),
        row('workgroup memory', (gpu) => star(gpu, 'workgroupMemory', kib(gpu.workgroupMemory))),
        row('of one workgroup', (gpu) => star(gpu, 'workgroupLimit', kib(gpu.workgroupLimit))),
        number('registers', 'registers'),
        number('invocations', 'invocations'),
      ],
      'left',
    ),
    '',
    `<small>Per multiprocessor (NVIDIA), compute unit (AMD) or core (Apple). With * where the maker publishes nothing: measured by others, on an earlier generation, or assumed.</small>`,
    '',
    'Sources:',
    '',
    ...sourceLines(),
  ].join('\n');
}

/** Each source once, with the GPUs whose figures are from it. */
function sourceLines(): string[] {
  const sources = [...new Set(GPUS.flatMap((gpu) => gpu.sources))];
  return sources.map((source) => {
    const of = GPUS.filter((gpu) => gpu.sources.includes(source)).map(({ name }) => `\`${name}\``);
    return `- ${of.join(', ')}: ${source}`;
  });
}

/**
 * The model on an H100 beside what was measured there, from the page of the measurements: products of one shape in single precision, and attention
 * over 32 pictures of ViT-B/32.
 */
export function comparedBlock(page: string, sizes: string): string {
  const lines = page.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  const { m, n, k } = parseSizes(sizes);
  const product = [m, k, n, true, 'f32'].join();
  const measured = [
    { name: 'matmul', of: sizes, head: 'm', row: (cells: readonly string[]) => cells.slice(1, 6).join() === product },
    ...['attention', 'attentionGradQuery', 'attentionGradKeyValue'].map((name) => ({
      ...{ name, of: ATTENTION, head: 'work' },
      row: (cells: readonly string[]) => cells[1] === name && cells.length > 8,
    })),
  ];
  const rows = measured.flatMap(({ name, of, head, row }) => {
    const columns = lines.find((cells) => cells[1] === head && cells.length > 8);
    const values = lines.find((cells) => cells[2] !== 'workgroup' && cells.length === columns?.length && row(cells));
    if (!columns || !values) throw new Error(`no measurement of ${name} ${of}`);
    return modelsOf(name, of).byGpu[0]!.flatMap((model) => {
      const found = Number(values[columns.indexOf(model.variant)]);
      if (!(found > 0)) return [];
      const most = rateOf(model) / 1e9;
      return [[`${name}, \`${model.variant}\``, model.bound, digits(most), digits(found), percent(found / most)]];
    });
  });
  return table(['kernel and variant', 'bound by', 'GFLOP/s at most', 'measured', 'of it'], rows);
}

/** As the tuner measures it. */
const ATTENTION = 'sequences=32,prefix=50,suffixes=0,heads=12,headWidth=64';

function percent(share: number): string {
  const value = 100 * share;
  return `${value < 10 ? value.toPrecision(2) : Math.round(value)} %`;
}
