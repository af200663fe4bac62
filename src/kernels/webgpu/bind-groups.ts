/** Bind groups, cached: a training step binds the same buffers to the same programs again and again. */
import type { DeviceBuffer } from '../definition.js';
import type { BufferPool, PooledBuffer } from './buffer-pool.js';
import type { Launch } from './launch.js';
import { bytesOf } from './packing.js';
import type { Program } from './programs.js';

export interface WebGpuBuffer extends DeviceBuffer {
  readonly pooled: PooledBuffer;
}

const MAX_BIND_GROUPS = 4096;

/** Bytes of an element of the widest type that a shader may declare, a vector of four: WebGPU wants room for one. */
const LEAST_BOUND = 16;

export class BindGroups {
  readonly #device: GPUDevice;
  readonly #pool: BufferPool;
  readonly #params: GPUBuffer;
  readonly #paramsBytes: number;
  readonly #groups = new Map<string, GPUBindGroup>();
  readonly #dummies: PooledBuffer[] = [];
  readonly #fresh: (dummy: PooledBuffer) => void;

  /**
   * `params` is bound first in every group, `paramsBytes` of it at an offset given by the dispatch. `fresh` is called with each new
   * dummy.
   */
  constructor(
    device: GPUDevice,
    pool: BufferPool,
    params: GPUBuffer,
    paramsBytes: number,
    fresh: (dummy: PooledBuffer) => void = () => {},
  ) {
    this.#device = device;
    this.#pool = pool;
    this.#params = params;
    this.#paramsBytes = paramsBytes;
    this.#fresh = fresh;
  }

  /** The group of a launch, whose buffers are marked as used by this batch of commands. */
  get(program: Program, launch: Launch, batch: number): GPUBindGroup {
    const { bindings } = program.interface;
    let key = `${program.id}`;
    const bound = bindings.map(({ name, access }, i) => {
      const buffer = launch.buffers[name] as WebGpuBuffer | undefined;
      if ((buffer?.dtype === 'f16') !== (launch.halves === name)) {
        throw new Error(`${launch.label}: ${name} is an ${buffer?.dtype} buffer, which the shader does not read`);
      }
      // A separate dummy for each writable binding: two of them may not alias.
      const pooled = buffer?.pooled ?? this.#dummy(access === 'read' ? 0 : i + 1);
      pooled.batch = batch;
      // As long as the tensor, not as the pooled memory behind it: what a kernel reads or writes past the end is cut off there.
      const size = buffer ? Math.max(LEAST_BOUND, bytesOf(buffer.dtype, buffer.length)) : pooled.gpu.size;
      key += `:${pooled.id},${size}`;
      return { buffer: pooled.gpu, size };
    });
    let group = this.#groups.get(key);
    if (!group) {
      group = this.#device.createBindGroup({
        layout: program.layout,
        entries: [
          { binding: 0, resource: { buffer: this.#params, size: this.#paramsBytes } },
          ...bound.map((resource, i) => ({ binding: i + 1, resource })),
        ],
      });
      if (this.#groups.size >= MAX_BIND_GROUPS) this.#groups.clear();
      this.#groups.set(key, group);
    }
    return group;
  }

  /** Drops all groups: they keep the memory of destroyed buffers alive. Groups still in use are created again on use. */
  clear(): void {
    this.#groups.clear();
  }

  #dummy(slot: number): PooledBuffer {
    const made = this.#dummies[slot];
    if (made) return made;
    const dummy = this.#pool.take(256);
    this.#dummies[slot] = dummy;
    this.#fresh(dummy);
    return dummy;
  }
}
