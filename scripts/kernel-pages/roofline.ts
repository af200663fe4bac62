/** A kernel's variants under the roofs of three GPUs: an SVG that follows the reader's colour scheme. */
import { type Model, peakOf } from '../../src/lab/index.js';
import { STYLE } from './chart.js';
import { digits } from './figures.js';

const WIDTH = 720;
const HEIGHT = 320;
const PANEL = 232;
/** Of a panel's plot, from its left edge. */
const [LEFT, RIGHT, TOP, BOTTOM] = [38, 224, 44, 252];
/** FLOP per byte: far beyond any kernel, so that the variants' names have room under the roof. */
const [FROM_X, TO_X] = [0.25, 2e5];
/** FLOP/s. */
const TO_Y = 2e14;
/** Between the names of variants. */
const LINE = 13;

/** Where a kernel's chart lies, below docs/. */
export function rooflinePath(kernel: string): string {
  return `images/models/${kernel}.svg`;
}

/** The chart in words. `byGpu`: the models of all variants, GPU by GPU. */
export function rooflineText(byGpu: readonly (readonly Model[])[]): string {
  const [{ kernel, operations, bytes }] = byGpu[0] as [Model];
  const panels = byGpu.map((models) => {
    const { gpu } = models[0]!;
    const each = models.map(({ variant, bound, ...model }) => `${variant} ${tera(rateOf(model))}, by ${bound}`);
    return `${gpu.title}, roof ${tera(roofOf(models[0]!))}: ${each.join('; ')}`;
  });
  return `Rooflines of ${kernel}, ${digits(operations / bytes)} FLOP per byte, in TFLOP/s at most by the model. ${panels.join('. ')}.`;
}

export function roofline(byGpu: readonly (readonly Model[])[]): string {
  const { kernel } = byGpu[0]![0]!;
  const least = Math.min(...byGpu.flat().map(rateOf));
  const fromY = 10 ** Math.floor(Math.log10(least / 1.5));
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="title description" font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif">`,
    `<title id="title">Rooflines of ${kernel} on three GPUs</title>`,
    `<desc id="description">${rooflineText(byGpu)}</desc>`,
    STYLE.replace(
      '</style>',
      '.roof{fill:none;stroke:var(--ink);stroke-width:2}.n{font-size:11px;paint-order:stroke;stroke:var(--page);stroke-width:3px}</style>',
    ),
    `<rect class="page" width="${WIDTH}" height="${HEIGHT}" rx="8"/>`,
    ...byGpu.flatMap((models, i) => panel(models, 8 + PANEL * i, fromY)),
    `<text x="16" y="${HEIGHT - 12}" class="s">TFLOP/s at most, over FLOP per byte of device memory; both scales logarithmic. A model, not a measurement.</text>`,
    '</svg>',
  ].join('\n')}\n`;
}

function panel(models: readonly Model[], left: number, fromY: number): string[] {
  const [first] = models as [Model];
  const { gpu } = first;
  const x = (value: number) => left + LEFT + (RIGHT - LEFT) * logShare(value, FROM_X, TO_X);
  const y = (value: number) => BOTTOM - (BOTTOM - TOP) * logShare(value, fromY, TO_Y);
  const peak = peakOf(gpu);
  const bandwidth = gpu.bandwidth * 1e9;
  // Where the slope enters the plot.
  const start = Math.max(FROM_X, fromY / bandwidth);
  const ridge = peak / bandwidth;
  const at = x(first.operations / first.bytes);
  const ticksX = [1, 100, 10_000].map(
    (value) =>
      `<path class="tick" d="M${tenth(x(value))} ${TOP}V${BOTTOM}"/><text x="${tenth(x(value))}" y="${BOTTOM + 16}" class="s m">${value.toLocaleString('en')}</text>`,
  );
  const ticksY = powers(fromY, TO_Y).map(
    (value) =>
      `<path class="tick" d="M${left + LEFT} ${tenth(y(value))}H${left + RIGHT}"/><text x="${left + LEFT - 5}" y="${tenth(y(value) + 4)}" class="s e">${value / 1e12}</text>`,
  );
  const points = [...models].sort((a, b) => rateOf(b) - rateOf(a));
  const names = spread(points.map((model) => y(rateOf(model))));
  const marks = points.flatMap((model, i) => {
    const middle = tenth(y(rateOf(model)));
    const name = tenth(names[i]!);
    const end = tenth(at + 14);
    return [
      `<path class="tick" d="M${tenth(at)} ${middle}L${end} ${name}"/>`,
      `<circle cx="${tenth(at)}" cy="${middle}" r="4" class="bar"/>`,
      `<text x="${tenth(at + 17)}" y="${tenth(name + 4)}" class="n">${model.variant}</text>`,
    ];
  });
  return [
    `<text x="${left + LEFT}" y="24">${gpu.title}</text>`,
    ...ticksX,
    ...ticksY,
    `<path class="roof" d="M${tenth(x(start))} ${tenth(y(start * bandwidth))}L${tenth(x(ridge))} ${tenth(y(peak))}H${left + RIGHT}"/>`,
    `<path class="top" d="M${tenth(at)} ${TOP}V${BOTTOM}"/>`,
    ...marks,
  ];
}

/** Places from the top down, moved apart where names would overlap, and up again from the bottom. */
function spread(places: readonly number[]): number[] {
  const all: number[] = [];
  for (const place of places) all.push(Math.max(place, (all.at(-1) ?? -LINE) + LINE));
  let most = BOTTOM - 4;
  for (let i = all.length - 1; i >= 0; i--) {
    all[i] = Math.min(all[i]!, most);
    most = all[i]! - LINE;
  }
  return all;
}

/** FLOP/s at most. */
export function rateOf({ operations, least }: Pick<Model, 'operations' | 'least'>): number {
  return operations / least;
}

function roofOf({ gpu, operations, bytes }: Model): number {
  return Math.min(peakOf(gpu), (operations / bytes) * gpu.bandwidth * 1e9);
}

/** In TFLOP/s. */
function tera(rate: number): string {
  return digits(rate / 1e12);
}

function logShare(value: number, from: number, to: number): number {
  return Math.log(value / from) / Math.log(to / from);
}

function powers(from: number, to: number): number[] {
  const all: number[] = [];
  for (let power = Math.ceil(Math.log10(from)); 10 ** power <= to; power++) all.push(10 ** power);
  return all;
}

function tenth(value: number): number {
  return Math.round(10 * value) / 10;
}
