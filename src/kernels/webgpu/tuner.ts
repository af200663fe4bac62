/**
 * Measures the variants of the matrix product and of attention on an adapter, for the sizes that a model uses. A class of
 * products (see `shapeClass`) is measured on one of them, with few, some and many rows: the variant is the same for all.
 *
 * A variant that is far too slow on few rows is not tried on more: the plainest product would take minutes on a software adapter.
 */
import type { AttentionGeometry, Backend, DeviceBuffer, Kernels } from '../contract.js';
import { kernelCost } from '../cost.js';
import {
  type AttentionKernel,
  type AttentionVariantName,
  attentionKernels,
  attentionVariants,
  launchAttention,
  suitsAttention,
} from './attention.js';
import type { WebGpuBackend } from './backend.js';
import type { Launch } from './launch.js';
import { launchMatmul, type MatmulVariantName, matmulVariants, shapeClass, suitsMatmul } from './matmul.js';
import { sameAttention, type Tuning } from './tuning.js';

/** A linear layer's product: [rows, k] times a weight stored [n, k], or [k, n] in the gradient. */
export interface LayerProduct {
  readonly n: number;
  readonly k: number;
  readonly transposeB: boolean;
}

/** The work that variants are measured on. */
export interface TuningWork {
  readonly layers: readonly LayerProduct[];
  /** Self-attention within images of this many rows. */
  readonly attention: { readonly rows: number; readonly heads: number; readonly headWidth: number };
}

/** One variant on one piece of work. */
export interface Timing {
  /** A class of products, or an attention kernel. */
  readonly work: string;
  readonly variant: string;
  /** Best time of a call; for products, of one call with each number of rows. */
  readonly seconds: number;
  readonly gflops: number;
}

/** Row counts that a product is measured with: those of one text or image, of a few, of a batch. */
const ROWS = [32, 256, 2048];
/** A variant this many times slower than the best is not tried on more rows. */
const HOPELESS = 3;
/** Least duration of a variant's turn, and number of turns. */
const TURN_SECONDS = 0.02;
const TURNS = 3;
const PICTURES = 32;

/** How many pieces of work `measureTuning` will report on. */
export function tuningSteps(work: TuningWork): number {
  return productFamilies(work.layers).length + attentionKernels.length;
}

/** Measures everything; `onMeasured` is called with the timings of each piece of work. */
export async function measureTuning(
  backend: WebGpuBackend,
  work: TuningWork,
  onMeasured: (timings: readonly Timing[]) => void = () => {},
): Promise<Tuning> {
  const byClass: Record<string, MatmulVariantName> = {};
  const seconds = new Map<MatmulVariantName, number>();
  for (const family of productFamilies(work.layers)) {
    const measured = await measureFamily(backend, family);
    onMeasured(measured.map(({ timing }) => timing));
    const best = fastest(measured);
    byClass[best.timing.work] = best.variant;
    seconds.set(best.variant, (seconds.get(best.variant) ?? 0) + best.timing.seconds);
  }
  // For products of other classes: the variant that was best for the largest part of the measured time.
  const [fallback] = [...seconds].sort(([, a], [, b]) => b - a)[0]!;
  const attention: Record<AttentionKernel, AttentionVariantName> = { ...sameAttention('workgroup') };
  for (const kernel of attentionKernels) {
    const measured = await measureAttention(backend, kernel, work.attention);
    onMeasured(measured.map(({ timing }) => timing));
    attention[kernel] = fastest(measured).variant;
  }
  return { matmul: { fallback, byClass }, attention };
}

/** Products that differ in rows only. */
interface Family extends LayerProduct {
  readonly half: boolean;
}

/** One of each class, with single- and with half-precision weights. */
function productFamilies(layers: readonly LayerProduct[]): Family[] {
  const families = new Map<string, Family>();
  for (const layer of layers) {
    for (const half of [false, true]) {
      const name = shapeClass({ ...layer, b: { dtype: half ? 'f16' : 'f32' } });
      if (!families.has(name)) families.set(name, { ...layer, half });
    }
  }
  return [...families.values()];
}

interface Measured<V> {
  readonly variant: V;
  readonly timing: Timing;
}

function fastest<V>(measured: readonly Measured<V>[]): Measured<V> {
  return measured.reduce((best, one) => (one.timing.seconds < best.timing.seconds ? one : best));
}

/** The variants that are not far too slow on any number of rows, each with its time on all of them. */
async function measureFamily(backend: WebGpuBackend, family: Family): Promise<Measured<MatmulVariantName>[]> {
  let hopeful = Object.keys(matmulVariants) as MatmulVariantName[];
  const total = new Map<MatmulVariantName, Timing>();
  for (const rows of ROWS) {
    const measured = await measureProduct(backend, family, rows, hopeful);
    const best = fastest(measured);
    hopeful = [];
    for (const { variant, timing } of measured) {
      if (timing.seconds > HOPELESS * best.timing.seconds) continue;
      hopeful.push(variant);
      total.set(variant, together(timing, total.get(variant)));
    }
  }
  return hopeful.map((variant) => ({ variant, timing: total.get(variant)! }));
}

/** One call after the other. */
function together(one: Timing, other: Timing = { ...one, seconds: 0, gflops: 0 }): Timing {
  const seconds = one.seconds + other.seconds;
  return { ...one, seconds, gflops: (one.gflops * one.seconds + other.gflops * other.seconds) / seconds };
}

async function measureProduct(
  backend: WebGpuBackend,
  { n, k, transposeB, half }: Family,
  m: number,
  variants: readonly MatmulVariantName[],
): Promise<Measured<MatmulVariantName>[]> {
  using buffers = new Buffers(backend);
  const args = {
    a: buffers.filled('f32', m * k),
    b: buffers.filled(half ? 'f16' : 'f32', n * k),
    out: buffers.empty(m * n),
    ...{ m, n, k, transposeB },
  };
  const fitting = variants.filter((variant) => suitsMatmul(variant, args, backend.adapter.subgroupSize));
  const launches = fitting.map((variant) => ({ variant, launch: launchMatmul(variant, args) }));
  return await measureLaunches(backend, buffers.fence, shapeClass(args), kernelCost('matmul', args).flops, launches);
}

async function measureAttention(
  backend: WebGpuBackend,
  kernel: AttentionKernel,
  sizes: TuningWork['attention'],
): Promise<Measured<AttentionVariantName>[]> {
  using buffers = new Buffers(backend);
  const args = attentionArguments(buffers, sizes);
  const fitting = attentionVariants.filter((variant) => suitsAttention(variant, args, backend.adapter.subgroupSize));
  const launches = fitting.map((variant) => ({ variant, launch: launchAttention(variant, kernel, args) }));
  return await measureLaunches(backend, buffers.fence, kernel, kernelCost(kernel, args).flops, launches);
}

/** Arguments for all three kernels: images' rows, each seeing its own image. */
function attentionArguments(
  buffers: Buffers,
  { rows, heads, headWidth }: TuningWork['attention'],
): Kernels[AttentionKernel] & Kernels['attention'] & Kernels['attentionGradQuery'] & Kernels['attentionGradKeyValue'] {
  const width = heads * headWidth;
  const all = PICTURES * rows;
  const start = (row: number) => row - (row % rows);
  const each = (numbers: (row: number) => number[]) => Array.from({ length: all }, (_, row) => numbers(row)).flat();
  const geometry: AttentionGeometry = {
    queries: all,
    keys: all,
    heads,
    headWidth,
    pairs: all * rows,
    visible: buffers.indices(each((row) => [start(row), start(row), start(row), start(row) + rows])),
    seenBy: buffers.indices(each((row) => [start(row), start(row) + rows])),
  };
  const packed = buffers.filled('f32', all * 3 * width);
  const gradient = buffers.empty(all * 3 * width);
  const view = (buffer: DeviceBuffer, part: number) => ({ buffer, stride: 3 * width, offset: part * width });
  return {
    ...geometry,
    q: view(packed, 0),
    k: view(packed, 1),
    v: view(packed, 2),
    out: buffers.empty(all * width),
    logSumExp: buffers.filled('f32', all * heads),
    delta: buffers.filled('f32', all * heads),
    gradOut: buffers.filled('f32', all * width),
    gradQ: view(gradient, 0),
    gradK: view(gradient, 1),
    gradV: view(gradient, 2),
  };
}

/** The launches take turns. */
async function measureLaunches<V extends string>(
  backend: WebGpuBackend,
  fence: DeviceBuffer,
  work: string,
  flops: number,
  launches: readonly { readonly variant: V; readonly launch: Launch }[],
): Promise<Measured<V>[]> {
  const best = new Map<V, number>();
  for (let turn = 0; turn <= TURNS; turn++) {
    for (const { variant, launch } of launches) {
      const known = best.get(variant);
      const calls = known === undefined ? 1 : Math.min(1000, Math.ceil(TURN_SECONDS / known));
      const start = performance.now();
      for (let call = 0; call < calls; call++) backend.dispatch(launch);
      await backend.read(fence);
      const seconds = (performance.now() - start) / 1000 / calls;
      // The first turn compiles; it only gives an upper bound for a turn.
      best.set(variant, turn <= 1 ? seconds : Math.min(seconds, known ?? seconds));
    }
  }
  return launches.map(({ variant }) => {
    const seconds = best.get(variant)!;
    return { variant, timing: { work, variant, seconds, gflops: flops / seconds / 1e9 } };
  });
}

/** Buffers that are freed together. */
class Buffers implements Disposable {
  /** Once it can be read, everything queued before is done. */
  readonly fence: DeviceBuffer;
  readonly #backend: Backend;
  readonly #all: DeviceBuffer[] = [];

  constructor(backend: Backend) {
    this.#backend = backend;
    this.fence = this.filled('f32', 1);
  }

  empty(length: number): DeviceBuffer {
    return this.#keep(this.#backend.allocate('f32', length));
  }

  /** fp16 values between -1 and 1; times do not depend on which. */
  filled(dtype: 'f32' | 'f16', length: number): DeviceBuffer {
    const buffer = this.#keep(this.#backend.allocate(dtype, length));
    this.#backend.write(
      buffer,
      Float32Array.from({ length }, (_, i) => ((i * 37) % 64) / 32 - 1),
    );
    return buffer;
  }

  indices(values: readonly number[]): DeviceBuffer {
    const buffer = this.#keep(this.#backend.allocate('i32', values.length));
    this.#backend.write(buffer, values);
    return buffer;
  }

  #keep(buffer: DeviceBuffer): DeviceBuffer {
    this.#all.push(buffer);
    return buffer;
  }

  [Symbol.dispose](): void {
    for (const buffer of this.#all) this.#backend.free(buffer);
  }
}
