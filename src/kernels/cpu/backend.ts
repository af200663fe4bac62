/** The CPU backend: runs each kernel's plain TypeScript twin at once, in float32, or in float64 as the oracle of tests. */
import { InputError } from '../../errors.js';
import type { Backend, DeviceBuffer, DType, HostArray, KernelName, Kernels } from '../contract.js';
import { MemoryMeter } from '../memory.js';
import { activationGrad } from './activation.js';
import type { CpuBuffer } from './arrays.js';
import { attention, attentionGradKeyValue, attentionGradQuery } from './attention.js';
import { compose, composeGradPrompts, composeGradWeights, groupDot, groupDotGradA, groupDotGradB } from './compose.js';
import { adamW, crossEntropy, crossEntropyGrad, sgd } from './loss.js';
import { matmul } from './matmul.js';
import { layerNorm, layerNormGrad, normalizeRows, normalizeRowsGrad, softmax, softmaxGrad } from './normalize.js';
import { affine, broadcastRows, gatherRows, patchRows, scatterAddRows, sumRows } from './rows.js';

type Twins = { readonly [K in KernelName]: (args: Kernels[K]) => void };

/** The definition of every kernel. */
export const twins: Twins = {
  matmul,
  layerNorm,
  layerNormGrad,
  attention,
  attentionGradQuery,
  attentionGradKeyValue,
  gatherRows,
  scatterAddRows,
  compose,
  composeGradWeights,
  composeGradPrompts,
  normalizeRows,
  normalizeRowsGrad,
  groupDot,
  groupDotGradA,
  groupDotGradB,
  softmax,
  softmaxGrad,
  crossEntropy,
  crossEntropyGrad,
  affine,
  sumRows,
  broadcastRows,
  activationGrad,
  patchRows,
  sgd,
  adamW,
};

export interface CpuOptions {
  /** 'f64' computes and stores in double precision: the oracle. */
  precision?: 'f32' | 'f64';
  /** Fill fresh memory with NaN, so that a kernel that forgets an element is found out. For tests. */
  poison?: boolean;
}

export class CpuBackend implements Backend {
  readonly kind = 'cpu';
  readonly description: string;
  readonly memory = new MemoryMeter();
  readonly #precision: 'f32' | 'f64';
  readonly #poison: boolean;

  constructor(options: CpuOptions = {}) {
    this.#precision = options.precision ?? 'f32';
    this.#poison = options.poison ?? false;
    this.description = `CPU, plain TypeScript (${this.#precision})`;
  }

  allocate(dtype: DType, length: number): CpuBuffer {
    let data: CpuBuffer['data'];
    try {
      if (dtype === 'i32') data = new Int32Array(length);
      else data = this.#precision === 'f64' ? new Float64Array(length) : new Float32Array(length);
    } catch {
      throw new InputError(`out of memory: a tensor of ${length} numbers does not fit on the CPU`);
    }
    if (this.#poison) data.fill(dtype === 'i32' ? -0x7fffffff : Number.NaN);
    this.memory.add(data.byteLength);
    return { dtype, length, data };
  }

  free(buffer: DeviceBuffer): void {
    this.memory.remove((buffer as CpuBuffer).data.byteLength);
  }

  write(buffer: DeviceBuffer, data: ArrayLike<number>): void {
    (buffer as CpuBuffer).data.set(data);
  }

  read(buffer: DeviceBuffer): Promise<HostArray> {
    return Promise.resolve((buffer as CpuBuffer).data.slice());
  }

  run<K extends KernelName>(kernel: K, args: Kernels[K]): void {
    twins[kernel](args);
  }

  dispose(): void {}
}
