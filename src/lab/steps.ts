/** A kernel's run step by step: what every lane of one workgroup loads, stores and adds up, recorded while the shipped text is executed in lockstep. */
import { type AnyArgs, type DeviceBuffer, type KernelOutput, kernelNamed, openCase } from '../kernels/index.js';
import { launchOf } from '../kernels/webgpu/launch.js';
import { LockstepDevice } from './lockstep/device.js';
import type { Assigned, Machine, SharedMemory, Site } from './lockstep/machine.js';
import { bankRequest } from './model/traffic.js';
import { shippedVariant } from './starter.js';
import { type Stepped, type SteppedText, steppedCase, steppedText } from './stepped.js';

/** What a lane did in a step. */
export interface LaneStep {
  /** The word of the buffer or array; of a sum, of the variable. */
  readonly at: number;
  /** What was loaded or stored; of a sum, what it is now. */
  readonly values: readonly number[];
  /** Of a sum: what it was. */
  readonly before?: readonly number[];
  /** Of a product that was added: its operands. */
  readonly factors?: readonly (readonly number[])[];
}

/** What the workgroup has done so far, all lanes together. */
export interface StepCounts {
  /** Words from buffers, and from workgroup memory. */
  readonly loads: number;
  readonly workgroupLoads: number;
  readonly multiplyAdds: number;
  readonly barriers: number;
  /** Of workgroup memory: stores, and the cycles that they took. Without conflicts, a cycle each. */
  readonly workgroupStores: number;
  readonly storeCycles: number;
}

/** One access, sum or barrier of all active lanes. */
export interface Step {
  readonly kind: 'load' | 'store' | 'sum' | 'barrier';
  /** Where: the line of the entry point, then those of the functions that it calls. */
  readonly lines: readonly number[];
  /** As it stands in the text. */
  readonly text: string;
  readonly space: 'storage' | 'workgroup' | 'lane';
  /** The buffer, array or variable. */
  readonly name: string;
  /** By lane; undefined for those that are not active. */
  readonly lanes: readonly (LaneStep | undefined)[];
  /** Of an access to workgroup memory: how many cycles its banks take. */
  readonly cycles: number;
  readonly counts: StepCounts;
}

/** A workgroup's run. */
export interface StepTrace extends SteppedText {
  readonly of: Stepped;
  /** Workgroups of the call, and the one that was recorded. */
  readonly grid: readonly [x: number, y: number];
  readonly group: readonly [x: number, y: number];
  readonly workgroupSize: readonly [x: number, y: number, z: number];
  /** Lanes of the workgroup; workgroup memory has as many banks here. */
  readonly lanes: number;
  readonly steps: readonly Step[];
  /** What the call wrote, all workgroups. */
  readonly outputs: readonly KernelOutput[];
}

/** Runs a kernel, and records one of its workgroups. Throws Error if it has no such workgroup. */
export async function traceSteps(of: Stepped, [x, y]: readonly [x: number, y: number] = [0, 0]): Promise<StepTrace> {
  const shown = steppedText(of);
  const kernel = kernelNamed(of.kernel);
  const device = new LockstepDevice();
  using open = openCase(device, steppedCase(of));
  const args = open.args as AnyArgs;
  const variant = { ...shippedVariant(kernel, of.variant), wgsl: shown.text, covers: of.covers };
  const launch = launchOf(kernel, variant, args);
  const [width, height] = launch.workgroups;
  if (!(x < width && y < height)) throw new Error(`${of.name}: workgroup ${x}, ${y} of a grid of ${width} x ${height}`);
  const prepared = device.prepare(launch);
  const recorder = new Recorder(of, prepared.machine, launch.buffers);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      recorder.listen(column === x && row === y);
      prepared.run(column, row);
    }
  }
  return {
    ...{ ...shown, of, grid: launch.workgroups, group: [x, y], workgroupSize: prepared.workgroupSize },
    ...{ lanes: prepared.invocations, steps: recorder.steps, outputs: await open.read() },
  };
}

const NOTHING: StepCounts = {
  ...{ loads: 0, workgroupLoads: 0, multiplyAdds: 0, barriers: 0, workgroupStores: 0, storeCycles: 0 },
};

/** Turns what a machine tells into steps. */
class Recorder {
  readonly steps: Step[] = [];

  constructor(
    private readonly of: Stepped,
    private readonly machine: Machine,
    private readonly buffers: Readonly<Record<string, DeviceBuffer | undefined>>,
  ) {}

  listen(on: boolean): void {
    const { machine } = this;
    machine.onAccess = on ? (...told) => this.#accessed(...told) : undefined;
    machine.onAssign = on ? (assigned) => this.#assigned(assigned) : undefined;
    machine.onBarrier = on ? () => this.#barrier() : undefined;
  }

  #accessed({ text, space, buffer: name, write }: Site, offsets: Float64Array, words: number, memory: SharedMemory) {
    const view = memory[this.buffers[name]?.dtype === 'i32' ? 'i32' : 'f32'];
    const lanes = this.#each((lane) => {
      const at = offsets[lane]!;
      return { at, values: Array.from(view.subarray(at, at + words)) };
    });
    const isShared = space === 'workgroup';
    const cycles = isShared ? this.#cyclesOf(lanes, words) : 0;
    const loaded = write ? 0 : words * this.machine.activeLanes;
    this.#add(
      { kind: write ? 'store' : 'load', text, space, name, lanes, cycles },
      {
        loads: isShared ? 0 : loaded,
        workgroupLoads: isShared ? loaded : 0,
        workgroupStores: Number(isShared && write),
        storeCycles: isShared && write ? cycles : 0,
      },
    );
  }

  #assigned({ text, operator, offset, words, before, now, factors }: Assigned): void {
    const [root = ''] = /^\w+/.exec(text) ?? [];
    if (!this.of.sums.includes(root)) return;
    const { activeLanes } = this.machine;
    const isAdded = operator === '+' && factors !== undefined;
    const lanes = this.#each((lane) => ({
      at: typeof offset === 'number' ? offset : offset[lane]!,
      values: this.#own(now, words, lane),
      before: this.#own(before, words, lane),
      ...(isAdded && { factors: factors.map((factor) => this.#own(factor.value, factor.words, lane)) }),
    }));
    this.#add(
      { kind: 'sum', text, space: 'lane', name: root, lanes, cycles: 0 },
      { multiplyAdds: isAdded ? words * activeLanes : 0 },
    );
  }

  #barrier(): void {
    const text = 'workgroupBarrier()';
    const lanes = this.#each(() => ({ at: 0, values: [] }));
    this.#add({ kind: 'barrier', text, space: 'workgroup', name: '', lanes, cycles: 0 }, { barriers: 1 });
  }

  #add(step: Omit<Step, 'lines' | 'counts'>, more: Partial<StepCounts>): void {
    const { line, callers } = this.machine;
    const counts: Record<keyof StepCounts, number> = { ...(this.steps.at(-1)?.counts ?? NOTHING) };
    for (const [name, count] of Object.entries(more)) counts[name as keyof StepCounts] += count;
    this.steps.push({ ...step, lines: [...callers, line], counts });
  }

  #each(of: (lane: number) => LaneStep): (LaneStep | undefined)[] {
    const { active } = this.machine;
    return Array.from(active, (one, lane) => (one === 0 ? undefined : of(lane)));
  }

  /** A lane's words of a value. */
  #own(value: Float64Array, words: number, lane: number): number[] {
    const { lanes } = this.machine;
    return Array.from({ length: words }, (_, word) => value[value.length === words ? word : word * lanes + lane]!);
  }

  /** All lanes are one subgroup here, and there are as many banks. */
  #cyclesOf(lanes: readonly (LaneStep | undefined)[], words: number): number {
    const active = lanes.flatMap((one, lane) => (one ? [{ lane, at: one.at }] : []));
    const count = lanes.length;
    const shape = { subgroup: count, banks: count, sector: 8, line: 32, loads: 32 };
    return bankRequest(
      active.map(({ at }) => at),
      active.map(({ lane }) => lane),
      words,
      shape,
    ).cycles;
  }
}
