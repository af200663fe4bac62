/**
 * The parts of docs/kernels, and of a few other pages, that are generated. A page marks them:
 *
 *     <!-- begin NAME: ARGUMENTS -->
 *     ... replaced ...
 *     <!-- end -->
 *
 * `options: train`             the options of prompt tuning, with both presets
 * `learner: NAME`              a learner's options, their defaults, and where these come from
 * `commands: all`              the commands with their options and examples
 * `course: all`                the tasks of the course, track by track
 * `figures: KERNEL`            what was measured of a kernel
 * `ladder: LADDER: RUNG, ...`  rungs in this order, each with how many times the first it is, and a chart of them
 * `layout: KERNEL`             its buffers, parameters and constants
 * `cost: KERNEL`               the shapes that the two jobs really use
 * `model: KERNEL: SIZES`       what the model says of its variants on three GPUs, with a chart
 * `learns: LEARNER`            what a learner learns, as a figure
 * `steps: NAME: MOMENTS`       moments of a run that the page steps through, as a strip
 * `gpus: all`                  the figures of the GPUs that it knows
 * `compared: FILE: SIZES`      products of this shape by the model, beside what the file measured
 * `code: FILE: FIRST: LAST`    lines of a source file, from the first that contains FIRST to the next that contains LAST; where LAST
 *                             is `}`, to the one that closes the first; FIRST may be `A > B`: after a line with A, the first with B
 * `file: FILE`                 all of a source file but the comment that it begins with
 * `quoted: FILE: FIRST: LAST` the same on a page of docs/ itself, with a link to these lines
 */
import { kernelNamed } from '../../src/kernels/index.js';
import { storedPattern } from '../../src/kernels/shapes.js';
import { shaderName } from '../../src/kernels/webgpu/wgsl-text.js';
import { bindingContract, JOBS, type RecordedShape, tracks } from '../../src/lab/index.js';
import { learnerNamed } from '../../src/learners/index.js';
import { optionText, PRESETS, TUNING_FIELDS } from '../../src/ptdpc/options.js';
import { chart, chartPath, chartText } from './chart.js';
import {
  type Figures,
  measuredOn,
  type Result,
  scaled,
  type Time,
  table,
  timeCells,
  timeHeads,
  workText,
} from './figures.js';

import { learnerFigure, learnerFigurePath, learnerFigureText } from './learner-figure.js';
import { comparedBlock, gpuBlock, modelBlock, modelsOf } from './models.js';
import { roofline, rooflinePath } from './roofline.js';
import { momentsOf, strip, stripPath, stripText } from './steps.js';

/** The sources of the blocks' contents. */
export interface Sources {
  readonly figures: Figures;
  /** The shapes of each job. */
  readonly shapes: Readonly<Record<keyof typeof JOBS, readonly RecordedShape[]>>;
  /** The reference of the command line. */
  readonly commands: string;
  /** A file of the repository. */
  source(path: string): string;
}

/** Shapes shown of a job at most. */
const SHAPES_SHOWN = 4;

/** What WebAssembly computes; of everything else the CPU backend runs the twin. */
const COMPILED = /^(matmul|attention\w*|biasedAttention|layerNorm(Grad)?)$/;

const BLOCK = /<!-- begin (\w+): (.*?) -->\n[\s\S]*?<!-- end -->/g;

/** The page with all its blocks as they should be. Throws Error if one names something that does not exist. */
export function fillPage(page: string, sources: Sources): string {
  return page.replace(BLOCK, (_, name: string, args: string) => {
    const parts = args.split(': ').map((part) => part.trim());
    const block = BLOCKS[name];
    if (!block) throw new Error(`no block is called ${name}`);
    return `<!-- begin ${name}: ${args} -->\n${block(sources, parts)}\n<!-- end -->`;
  });
}

/** The charts that a page's ladders and models refer to, by their paths below docs/. */
export function chartsOf(page: string, { figures: { ladders } }: Sources): Map<string, string> {
  const charts = new Map<string, string>();
  for (const [, name, args] of page.matchAll(BLOCK)) {
    if (name === 'model') {
      const [kernel = '', sizes = ''] = args!.split(': ');
      charts.set(rooflinePath(kernel), roofline(modelsOf(kernel, sizes).byGpu));
    }
    if (name === 'steps') {
      const [run = '', moments = ''] = args!.split(': ');
      charts.set(stripPath(run), strip(momentsOf(run, moments)));
    }
    if (name === 'learns') charts.set(learnerFigurePath(args!), learnerFigure(args!));
    if (name !== 'ladder') continue;
    const [ladder = '', rungs = ''] = args!.split(': ');
    const { result, times } = rungsOf(ladders.results, ladder, rungs);
    charts.set(chartPath(ladder), chart(ladder, result, times, ladders));
  }
  return charts;
}

const BLOCKS: Readonly<Record<string, (sources: Sources, args: readonly string[]) => string>> = {
  options: () => {
    const cell = (value: unknown) => (typeof value === 'boolean' ? (value ? 'yes' : 'no') : `${value}`);
    const rows = Object.entries(TUNING_FIELDS).map(([name, field]) => {
      const { flag, help } = optionText(field);
      const [paper, official] = [PRESETS.paper, PRESETS.official].map((preset) => cell(Reflect.get(preset, name)));
      return [`\`${flag}\``, help, ...(name === 'preset' ? ['', ''] : [paper!, official!])];
    });
    return table(['option', 'what it is', '`paper`', '`official`'], rows, 'left');
  },

  learner: (_, [name = '']) => {
    const { fields, defaults, sources } = learnerNamed(name);
    const rows = Object.entries(fields).map(([option, field]) => {
      const { flag, help } = optionText(field);
      const value = defaults[option];
      const shown = typeof value === 'boolean' ? (value ? 'yes' : 'no') : value === '' ? '`""`' : `${value}`;
      return [`\`${flag}\``, help, shown, sources[option] ?? ''];
    });
    return table(['option', 'what it is', 'default', 'from'], rows, 'left');
  },

  commands: ({ commands }) => commands,

  course: () =>
    tracks
      .map(({ title, about, tasks }) =>
        [
          `### ${title}`,
          '',
          about,
          '',
          table(
            ['task', 'number', 'what it asks', 'minutes', 'tolerance'],
            tasks.map(({ id, number, file, title, minutes, tolerance }) => [
              `[\`${id}\`](exercises/${file})`,
              `${number ?? ''}`,
              title,
              `${minutes}`,
              tolerance < 1e-3 ? tolerance.toExponential() : `${tolerance}`,
            ]),
            'left',
          ),
        ].join('\n'),
      )
      .join('\n\n'),

  figures: ({ figures: { webgpu, cpu } }, [kernel = '']) => {
    if (!(kernelNamed(kernel).name in webgpu.results)) return 'Not measured yet.';
    const onGpu = resultOf(webgpu.results, kernel);
    const onCpu = resultOf(cpu.results, kernel);
    const own = onCpu.times.filter(({ name }) => name === 'twin' || COMPILED.test(kernel));
    return [
      `\`${onGpu.shape}\`: ${workText(onGpu)}.`,
      '',
      table(
        ['variant', ...timeHeads(onGpu)],
        [
          ...onGpu.times.map((time) => [`WebGPU, \`${time.name}\``, ...timeCells(onGpu, time, webgpu)]),
          ...own.map((time) => [`CPU, ${CPU_NAMES[time.name]}`, ...timeCells(onCpu, time, cpu)]),
        ],
      ),
      '',
      `<small>${measuredOn(webgpu, cpu)}</small>`,
    ].join('\n');
  },

  learns: (_, [learner = '']) => `![${learnerFigureText(learner)}](${learnerFigurePath(learner)})`,

  steps: (_, [name = '', moments = '']) => {
    const of = momentsOf(name, moments);
    return [
      `![${stripText(of)}](../${stripPath(name)})`,
      '',
      `<small>The shipped text in lockstep, made small enough to be drawn. [The page's laboratory](../web.md#laboratory) steps through it lane by lane, with the line that runs and the lane's sums.</small>`,
    ].join('\n');
  },

  ladder: ({ figures: { ladders } }, [ladder = '', rungs = '']) => {
    const { result, times } = rungsOf(ladders.results, ladder, rungs);
    const first = times[0]!.milliseconds;
    return [
      `\`${result.shape}\`: ${workText(result)}.`,
      '',
      `![${chartText(result, times, ladders)}](../${chartPath(ladder)})`,
      '',
      table(
        ['rung', ...timeHeads(result), 'times the first'],
        times.map((time) => [
          time.name.endsWith('.wgsl')
            ? `[${time.name.replace('.wgsl', '')}](ladders/${time.name})`
            : `\`${time.name}\``,
          ...timeCells(result, time, ladders),
          (first / time.milliseconds).toPrecision(2),
        ]),
      ),
      '',
      `<small>${measuredOn(ladders)}</small>`,
    ].join('\n');
  },

  cost: ({ shapes }, [kernel = '']) => {
    const counted = Object.values(shapes)
      .flat()
      .some((shape) => shape.kernel === kernel && shape.cost.flops > 0);
    const rows: string[][] = [];
    const notes: string[] = [];
    for (const [job, what] of Object.entries(JOBS)) {
      const own = shapes[job as keyof typeof JOBS].filter((shape) => shape.kernel === kernel);
      if (own.length === 0) continue;
      const total = ({ calls, cost }: RecordedShape) => calls * (cost.flops || cost.bytes);
      const most = [...own].sort((a, b) => total(b) - total(a)).slice(0, SHAPES_SHOWN);
      for (const { shape, calls, cost } of most) {
        rows.push([
          job,
          `\`${shape}\``,
          String(calls),
          ...(counted ? [scaled(cost.flops, 'FLOP')] : []),
          scaled(cost.bytes, 'B'),
        ]);
      }
      const more = own.length - most.length;
      notes.push(`\`${job}\` is ${what}${more > 0 ? ` (and ${more} smaller shapes)` : ''}`);
    }
    if (rows.length === 0) return 'Neither of the two recorded jobs runs it.';
    return [
      table(['job', 'shape', 'calls', ...(counted ? ['FLOP a call'] : []), 'bytes a call'], rows, 'left'),
      '',
      `<small>${notes.join('; ')}; \`ptdpc lab list ${kernel}\` has all.</small>`,
    ].join('\n');
  },

  model: (_, [kernel = '', sizes = '']) => modelBlock(kernel, sizes),

  gpus: () => gpuBlock(),

  compared: ({ source }, [file = '', sizes = '']) => comparedBlock(source(file), sizes),

  layout: (_, [name = '']) => {
    const kernel = kernelNamed(name);
    const { bindings, params, constants } = bindingContract(kernel);
    const own = bindings.map(({ name, argument, access }) => {
      const operand = kernel.operands[argument]!;
      const shape = storedPattern(operand, {}).axes.map(({ text }) => text.replaceAll('*', ' * '));
      const swapped =
        operand.swappedBy === undefined
          ? ''
          : `, or [${[...shape].reverse().join(', ')}] where \`${shaderName(operand.swappedBy).toUpperCase()}\``;
      const type = operand.type === 'i32' ? ' i32' : '';
      const note = kernel.notes?.[argument];
      const where = operand.access === 'update' ? 'updated' : access === 'read' ? 'read' : 'written';
      return [`\`${name}\``, where, `[${shape.join(', ')}]${type}${swapped}${note === undefined ? '' : `: ${note}`}`];
    });
    const listed = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(', ');
    return [
      table(['buffer', 'access', 'contents'], own, 'left'),
      '',
      `Parameters: ${listed(params.map(({ name }) => name))}.${constants.size > 0 ? ` Constants: ${listed([...constants])}.` : ''}`,
    ].join('\n');
  },

  file: ({ source }, [file = '']) =>
    fenced(
      file,
      source(file)
        .replace(/^\/\*\*[\s\S]*?\*\/\n/, '')
        .trimEnd(),
    ),

  code: (sources, args) => quotedLines(sources, args).code,

  quoted: (sources, args) => {
    const { code, from, to } = quotedLines(sources, args);
    const [file = ''] = args;
    return `${code}\n\n<small>[${file}, lines ${from} to ${to}](../${file}#L${from}-L${to})</small>`;
  },
};

/** The lines that a block names, as a fenced block, and their numbers. */
function quotedLines({ source }: Sources, [file = '', first = '', last = '']: readonly string[]) {
  const lines = source(file).split('\n');
  const start = first
    .split(' > ')
    .reduce((from, part) => (from < 0 ? from : lines.findIndex((line, i) => i >= from && line.includes(part))), 0);
  const closing = `${/^ */.exec(lines[start] ?? '')}}`;
  const length = lines
    .slice(start)
    .findIndex((line) => (last === '}' ? line.startsWith(closing) : line.includes(last)));
  if (start < 0 || length < 0) throw new Error(`${file}: no lines from "${first}" to "${last}"`);
  const part = lines.slice(start, start + length + 1);
  const indent = Math.min(...part.filter(Boolean).map((line) => line.search(/\S/)));
  const code = fenced(file, part.map((line) => line.slice(indent)).join('\n'));
  return { code, from: start + 1, to: start + length + 1 };
}

/** Lines of a file as Markdown. */
function fenced(file: string, lines: string): string {
  return [`\`\`\`${file.slice(file.lastIndexOf('.') + 1)}`, lines, '```'].join('\n');
}

const CPU_NAMES: Readonly<Record<string, string>> = { twin: 'the twin', compiled: 'WebAssembly' };

function resultOf(results: Readonly<Record<string, Result>>, name: string): Result {
  const result = results[name];
  if (!result) throw new Error(`${name} was not measured`);
  return result;
}

/** The times of a ladder's rungs, in the order in which they are listed. */
function rungsOf(results: Readonly<Record<string, Result>>, ladder: string, rungs: string) {
  const result = resultOf(results, ladder);
  const times = rungs.split(', ').map((rung): Time => {
    const time = result.times.find(({ name }) => name === rung);
    if (!time) throw new Error(`${ladder}: no rung ${rung} was measured`);
    return time;
  });
  return { result, times };
}
