/** Judges mutants by the suites of the kernels that use their shader, on one device. */

import type { Declaration, Variant } from '../src/kernels/definition.js';
import {
  CpuBackend,
  type KernelCase,
  type KernelOutput,
  runCase,
  sizedArgs,
  suiteOf,
  type WebGpuBackend,
} from '../src/kernels/index.js';
import { unmetNeed } from '../src/kernels/needs.js';
import { folded, type Launch, launchOf } from '../src/kernels/webgpu/launch.js';
import { assembled } from '../src/kernels/webgpu/wgsl-text.js';
import { type Attempt, checkCase, reversedLanes } from '../src/lab/index.js';
import { type Mutant, type Shader, type User, variantWith, withFault } from './shader.js';

/** What gave a mutant away. `hung` and `crashed` are said by who watches the judge. */
export const MEANS = [
  'wrong numbers',
  'overrun',
  'folded grid',
  'race',
  'unstable',
  'fault',
  'hung',
  'crashed',
] as const;
export type Means = (typeof MEANS)[number];

export type Verdict =
  | { readonly outcome: 'killed'; readonly by: Means; readonly where: string }
  | { readonly outcome: 'survived'; readonly cases: number }
  | { readonly outcome: 'invalid'; readonly message: string };

/** A case of a kernel's suite in one variant. */
interface Trial {
  /** `kernel (variant) sizes`. */
  readonly name: string;
  readonly user: User;
  readonly test: KernelCase;
  readonly seed: number;
}

export class Judge {
  readonly #oracle = new CpuBackend({ precision: 'f64', poison: true });
  readonly #expected = new Map<string, Promise<readonly KernelOutput[]>>();
  readonly #trials = new Map<string, readonly Trial[]>();
  readonly #attempts = new WeakMap<Variant, Attempt<Declaration>>();
  /** Cases by whether the kernel without a fault passes them here. */
  readonly #sound = new Map<string, boolean>();

  /** `onCase` is called before each case. */
  constructor(
    private readonly device: WebGpuBackend,
    private readonly onCase: (name: string) => void = () => {},
  ) {}

  /** Cases that the kernels without a fault fail on this device, so that they judge nothing. */
  get unsound(): string[] {
    return [...this.#sound].filter(([, sound]) => !sound).map(([name]) => name);
  }

  /** Judges one mutant, by the cases named in `first` before all others. Throws what the device throws. */
  async judge(shader: Shader, mutant: Mutant, first: readonly string[] = []): Promise<Verdict> {
    const text = withFault(shader, mutant);
    const variants = new Map<User, Variant>();
    const compiled = new Set<string>();
    const rank = new Map(first.map((name, i) => [name, i - first.length]));
    const trials = this.#trialsOf(shader).toSorted(
      (one, other) => (rank.get(one.name) ?? 0) - (rank.get(other.name) ?? 0),
    );
    for (const trial of trials) {
      this.onCase(trial.name);
      const { user } = trial;
      const variant = variants.get(user) ?? variantWith(shader, user, text);
      variants.set(user, variant);
      const message = await this.#compile(trial, variant, compiled);
      if (message !== undefined) return { outcome: 'invalid', message };
      const by = await this.#fails(trial, variant);
      if (by !== undefined && (await this.#isSound(trial))) return { outcome: 'killed', by, where: trial.name };
    }
    return { outcome: 'survived', cases: trials.length };
  }

  dispose(): void {
    this.#oracle.dispose();
  }

  /** What the case shows of a variant; undefined if it is right. */
  async #fails(trial: Trial, variant: Variant): Promise<Means | undefined> {
    const { test, seed, user } = trial;
    const expected = () => this.#expectedOf(test, seed);
    const verdict = await checkCase(
      { device: this.device, test, seed, expected },
      this.#attempt(user, variant),
      this.#attempt(user, user.variant),
    );
    if (verdict.kind === 'unstable') return 'unstable';
    if (verdict.kind !== 'wrong') return undefined;
    if (verdict.way === 'folded') return 'folded grid';
    if (verdict.way === 'reversed') return 'race';
    const { overrun, wrong } = verdict.comparison;
    return overrun === wrong ? 'overrun' : 'wrong numbers';
  }

  async #isSound(trial: Trial): Promise<boolean> {
    const known = this.#sound.get(trial.name);
    if (known !== undefined) return known;
    const sound = (await this.#fails(trial, trial.user.variant)) === undefined;
    this.#sound.set(trial.name, sound);
    return sound;
  }

  #attempt({ kernel }: User, variant: Variant): Attempt<Declaration> {
    const known = this.#attempts.get(variant);
    if (known) return known;
    const wgsl = reversedLanes(assembled(variant.wgsl));
    const reversed = wgsl === undefined ? undefined : { ...variant, wgsl };
    const attempt: Attempt<Declaration> = (args, way) => {
      const launch = launchOf(kernel, way === 'reversed' ? reversed! : variant, args);
      this.device.dispatch(way === 'folded' && typeof variant.covers === 'number' ? folded(launch) : launch);
      return undefined;
    };
    const made = Object.assign(attempt, { reverses: reversed !== undefined });
    this.#attempts.set(variant, made);
    return made;
  }

  /** Compiles what the case needs, if it is new; returns the compiler's first error. */
  async #compile({ user, test }: Trial, variant: Variant, compiled: Set<string>): Promise<string | undefined> {
    let launch: Launch;
    try {
      launch = launchOf(user.kernel, variant, sizedArgs(test));
    } catch (error) {
      return (error as Error).message;
    }
    const key = `${launch.label} ${launch.entryPoint} ${JSON.stringify(launch.constants)}`;
    if (compiled.has(key)) return undefined;
    compiled.add(key);
    const { messages } = await this.device.compile(launch);
    return messages.find(({ type }) => type === 'error')?.text;
  }

  #expectedOf(test: KernelCase, seed: number): Promise<readonly KernelOutput[]> {
    const known = this.#expected.get(test.name);
    if (known) return known;
    const expected = runCase(this.#oracle, test, seed);
    this.#expected.set(test.name, expected);
    return expected;
  }

  #trialsOf({ name, users }: Shader): readonly Trial[] {
    const known = this.#trials.get(name);
    if (known) return known;
    const { subgroupSize } = this.device.adapter;
    const trials = users.flatMap((user) =>
      suiteOf(user.kernel)
        .map((test, seed) => ({ name: `${user.variant.name}: ${test.name}`, user, test, seed }))
        .filter(({ test }) => unmetNeed(user.variant, sizedArgs(test), subgroupSize) === undefined),
    );
    this.#trials.set(name, trials);
    return trials;
  }
}
