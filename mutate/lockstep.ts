/**
 * Where mutants are judged that no adapter at hand can run: compiled by Dawn's null backend, which has every feature and runs nothing, and run in
 * lockstep, where a race is seen as such.
 */
import { create } from 'webgpu';
import type { AdapterFacts } from '../src/kernels/needs.js';
import { findAdapter, openDevice } from '../src/kernels/webgpu/device.js';
import type { Launch } from '../src/kernels/webgpu/launch.js';
import { type Compilation, ProgramCache } from '../src/kernels/webgpu/programs.js';
import { dispatchWatched } from '../src/lab/course/races.js';
import { LockstepDevice } from '../src/lab/lockstep/device.js';

/** One with which a workgroup of 128 has more subgroups than patches, and one that makes it take two rounds (shaders/matmul_matrices.wgsl). */
const SUBGROUPS = [16, 64] as const;

export class LockstepSubject extends LockstepDevice {
  readonly adapter: AdapterFacts;
  readonly #programs: ProgramCache;
  readonly #machines = SUBGROUPS.map((size) => new LockstepDevice(size));

  private constructor(
    /** It must live as long as its devices. */
    readonly gpu: GPU,
    device: GPUDevice,
  ) {
    super();
    this.adapter = { subgroupSize: SUBGROUPS[0], features: [...device.features], matrices: ['f32x8', 'f16x16'] };
    this.#programs = new ProgramCache(device);
  }

  static async open(): Promise<LockstepSubject> {
    const gpu = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
    const adapter = await findAdapter(gpu);
    if (!adapter) throw new Error("expected Dawn's null backend, found no adapter");
    return new LockstepSubject(gpu, await openDevice(adapter));
  }

  async compile(launch: Launch): Promise<Compilation> {
    return this.#programs.compile(launch);
  }

  /** With subgroups of either size, by the sizes of the call. Throws Error for a race, and for an access beyond the end of memory. */
  override dispatch(launch: Launch): void {
    const sum = Object.values(launch.params).reduce((sum, size) => sum + Math.ceil(size), 0);
    const { race, outside } = dispatchWatched(this.#machines[sum % SUBGROUPS.length]!, launch);
    if (race !== undefined) throw new Error(race);
    if (outside) throw new Error('it reads or writes beyond the end of memory');
  }
}
