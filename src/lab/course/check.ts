/**
 * The check of an answer: every case against the task's definition in float64, by the adapter if there is one, and in lockstep on the host (see
 * races.ts), which needs none and tells races.
 */
import { counted, InputError } from '../../errors.js';
import {
  type AnyArgs,
  CpuBackend,
  type KernelCase,
  type KernelOutput,
  openCase,
  runCase,
  sizedArgs,
  type WebGpuBackend,
} from '../../kernels/index.js';
import { shapeOf, storedPattern } from '../../kernels/shapes.js';
import type { Launch } from '../../kernels/webgpu/launch.js';
import type { Compilation } from '../../kernels/webgpu/programs.js';
import { type Comparison, compareOutputs } from '../compare.js';
import { launchUserKernel, readUserKernel, type UserKernel } from '../contract.js';
import { LockstepDevice } from '../lockstep/device.js';
import { checkCase } from '../parity.js';
import { attemptOf, shippedAttempt } from '../trial.js';
import { dispatchWatched, invocationsOf, type Watched } from './races.js';
import type { Task } from './task.js';
import { type WrongMap, wrongMap } from './wrong-map.js';

/** An operand of a case, as far as it is shown. */
export interface ShownInput {
  readonly name: string;
  readonly shape: readonly number[];
  /** The first numbers. */
  readonly first: readonly number[];
}

/** A case that an answer gets wrong. */
export interface CaseFailure {
  readonly case: string;
  readonly inputs: readonly ShownInput[];
  readonly comparison: Comparison;
  readonly map: WrongMap | undefined;
}

/** The result of checking an answer. */
export interface TaskResult {
  readonly passed: boolean;
  /** What is wrong, in one line; empty if it passed. */
  readonly reason: string;
  /** What it was executed by. */
  readonly device: string;
  readonly cases: number;
  readonly tolerance: number;
  /** Of an adapter. */
  readonly compilation?: Compilation;
  /** The first wrong case. */
  readonly failure?: CaseFailure;
}

/** Is told the number of cases done, of all; what it throws ends the check. */
export type OnCase = (done: number, all: number) => void;

const INPUTS_SHOWN = 8;

/** Checks an answer; without a `device`, in lockstep alone. Throws InputError if the text does not keep the task's binding contract. */
export async function checkTask(
  device: WebGpuBackend | undefined,
  task: Task,
  file: string,
  text: string,
  onCase: OnCase = () => {},
): Promise<TaskResult> {
  const answer = readUserKernel(task.kernel, file, text);
  const check = new Check(device, task, answer);
  try {
    return check.result(await check.run(onCase));
  } finally {
    check.oracle.dispose();
  }
}

/** What the lockstep machine offers. */
const LOCKSTEP = { subgroupSize: 32, features: ['subgroups'] };

class Check {
  readonly oracle = new CpuBackend({ precision: 'f64', poison: true });
  readonly #lockstep = new LockstepDevice(LOCKSTEP.subgroupSize);
  #compilation: Compilation | undefined;
  #failure: CaseFailure | undefined;

  constructor(
    private readonly device: WebGpuBackend | undefined,
    private readonly task: Task,
    private readonly answer: UserKernel,
  ) {}

  result(reason: string | undefined): TaskResult {
    const { cases, tolerance } = this.task;
    return {
      ...{ passed: reason === undefined, reason: reason ?? '', cases: cases.length, tolerance },
      device: this.device?.description ?? 'no adapter: WGSL in lockstep on the host',
      ...(this.#compilation && { compilation: this.#compilation }),
      ...(this.#failure && { failure: this.#failure }),
    };
  }

  /** What is wrong; undefined if nothing. */
  async run(onCase: OnCase): Promise<string | undefined> {
    const { device, answer } = this;
    const { cases, condition } = this.task;
    const all = cases.length * (device ? 2 : 1);
    let first: Launch | undefined;
    for (const test of cases) {
      const launch = this.#launch(test, sizedArgs(test));
      if (typeof launch === 'string') return `it does not take ${test.name}: ${launch}`;
      first ??= launch;
    }
    onCase(0, all);
    if (device) {
      this.#compilation = await device.compile(first!);
      if (this.#compilation.messages.some(({ type }) => type === 'error')) return 'it does not compile';
      for (const [seed, test] of cases.entries()) {
        const reason = await this.#onAdapter(device, test, seed);
        if (reason !== undefined) return reason;
        onCase(seed + 1, all);
      }
    }
    for (const [seed, test] of cases.entries()) {
      let reason: string | undefined;
      try {
        reason = await this.#inLockstep(test, seed);
      } catch (error) {
        // What the machine does not read the adapter has judged.
        if (!(error instanceof InputError)) throw error;
        if (device) break;
        return `it does not run in lockstep: ${error.message}`;
      }
      if (reason !== undefined) return reason;
      onCase(all - cases.length + seed + 1, all);
    }
    return condition?.(answer, invocationsOf(this.#lockstep, first!));
  }

  #launch(test: KernelCase, args: AnyArgs): Launch | string {
    if (test.kernel !== this.task.kernel) throw new Error(`${test.name}: a case of another kernel`);
    return launchUserKernel(this.answer, args, this.device?.adapter ?? LOCKSTEP);
  }

  async #onAdapter(device: WebGpuBackend, test: KernelCase, seed: number): Promise<string | undefined> {
    const { tolerance } = this.task;
    const expected = () => runCase(this.oracle, test, seed);
    const own = attemptOf(device, this.answer);
    // Cases have far fewer than 65,536 workgroups, and an answer may count them along one axis.
    const unfolded: typeof own = (args, way) => own(args, way === 'folded' ? 'as it is' : way);
    const attempt = Object.assign(unfolded, { reverses: own.reverses ?? false });
    // A device may lose NaN and infinities: where the shipped kernel does too, nobody is to blame.
    const shipped = shippedAttempt(device, this.task.kernel);
    const verdict = await checkCase({ device, test, seed, expected }, attempt, { shipped, tolerance });
    if (verdict.kind === 'unstable') return `its results change from run to run on ${test.name}: invocations race`;
    if (verdict.kind === 'left out') return undefined;
    if (!('way' in verdict)) return undefined;
    if (verdict.way !== 'as it is') return `it is wrong on ${verdict.name}`;
    const found = await runCase(device, test, seed, (args) => attempt(args, 'as it is'));
    return await this.#wrong(test, seed, found, await expected());
  }

  async #inLockstep(test: KernelCase, seed: number): Promise<string | undefined> {
    let watched: Watched | undefined;
    const found = await runCase(this.#lockstep, test, seed, (args) => {
      watched = dispatchWatched(this.#lockstep, this.#launch(test, args) as Launch);
    });
    const expected = await runCase(this.oracle, test, seed);
    // In lockstep an unlucky order never comes: a race counts even if the numbers are right.
    if (watched?.race !== undefined) return `${test.name}: ${watched.race}`;
    if (!this.device) return await this.#wrong(test, seed, found, expected);
    // A device may answer a read beyond the end with the very number that was meant.
    return watched?.outside && compareOutputs(found, expected, this.task.tolerance).wrong > 0
      ? `${test.name}: what it reads beyond the end of a buffer reaches the result`
      : undefined;
  }

  async #wrong(
    test: KernelCase,
    seed: number,
    found: readonly KernelOutput[],
    expected: readonly KernelOutput[],
  ): Promise<string | undefined> {
    const { tolerance, kernel } = this.task;
    const comparison = compareOutputs(found, expected, tolerance);
    if (comparison.wrong === 0) return undefined;
    const at = Math.max(
      0,
      expected.findIndex(({ name }) => name === comparison.worst?.output),
    );
    const map = wrongMap(found[at]!, expected[at]!, tolerance, this.answer.variant.covers, kernel.unit);
    this.#failure = {
      case: test.name,
      inputs: await inputsOf(test, seed),
      comparison,
      // Where only what lies behind the output was touched, there is nothing to see.
      map: map.wrong.includes(1) ? map : undefined,
    };
    return comparison.wrong === comparison.overrun
      ? `it writes past the end of its output on ${test.name}`
      : `it is wrong on ${test.name}`;
  }
}

/** The beginnings of the operands that a case reads. */
async function inputsOf(test: KernelCase, seed: number): Promise<ShownInput[]> {
  const device = new CpuBackend();
  try {
    using open = openCase(device, test, seed);
    const args = open.args as AnyArgs;
    const sizes: Record<string, number> = {};
    for (const [name, value] of Object.entries(args)) if (typeof value === 'number') sizes[name] = value;
    const shown: ShownInput[] = [];
    for (const [name, operand] of Object.entries(test.kernel.operands)) {
      const buffer = args[name];
      if (operand.access !== 'read' || typeof buffer !== 'object') continue;
      const first = Array.from(await device.read(buffer)).slice(0, INPUTS_SHOWN);
      shown.push({ name, shape: shapeOf(name, storedPattern(operand, sizes), sizes), first });
    }
    return shown;
  } finally {
    device.dispose();
  }
}

/** A failure in lines: the inputs, what was written past the end, the worst element, how many are wrong, and by which tolerance. */
export function failureLines({ case: name, inputs, comparison }: CaseFailure, tolerance: number): string[] {
  const { worst, wrong, elements, overrun } = comparison;
  const short = (value: number) => `${Number(value.toPrecision(6))}`;
  const off = wrong - overrun;
  return [
    name,
    ...inputs.map(({ name, shape, first }) => {
      const more = shape.reduce((product, axis) => product * axis, 1) > first.length ? ', ...' : '';
      return `  ${name} [${shape.join(', ')}] = ${first.map(short).join(', ')}${more}`;
    }),
    ...(overrun > 0
      ? [`  ${counted(overrun, 'number')} ${overrun === 1 ? 'was' : 'were'} written past the end of the output`]
      : []),
    ...(off > 0 && worst
      ? [
          `  the worst: ${worst.output}[${worst.index.join(', ')}] is ${short(worst.found)}, expected ${short(worst.expected)}${Number.isNaN(worst.found) ? ' (NaN: perhaps never written)' : ''}`,
        ]
      : []),
    off > 0
      ? `  ${off} of ${counted(elements, 'element')} ${off === 1 ? 'is' : 'are'} off by more than ${tolerance} of the largest number of the output`
      : '  within its bounds the output is right',
  ];
}
