/** Judges mutants by the suites of the kernels that use their shader, on one device. */

import type { Declaration, Variant } from '../src/kernels/definition.js';
import {
  type Backend,
  CpuBackend,
  type KernelCase,
  type KernelOutput,
  runCase,
  sizedArgs,
  suiteOf,
} from '../src/kernels/index.js';
import { type AdapterFacts, unmetNeed } from '../src/kernels/needs.js';
import { folded, type Launch, launchOf } from '../src/kernels/webgpu/launch.js';
import type { Compilation } from '../src/kernels/webgpu/programs.js';
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
  /** No variant that has the text runs on this adapter, as one by subgroups of eight where they have four lanes, nor in lockstep. */
  | { readonly outcome: 'not run' }
  | { readonly outcome: 'invalid'; readonly message: string };

/** What mutants are judged on. */
export interface Subject extends Backend {
  readonly adapter: AdapterFacts;
  compile(launch: Launch): Promise<Pick<Compilation, 'messages'>>;
  dispatch(launch: Launch): void;
}

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
    private readonly device: Subject,
    private readonly onCase: (name: string) => void = () => {},
  ) {}

  /** Whether the device can run a variant that has the shader's text. */
  runs(shader: Shader): boolean {
    return this.#trialsOf(shader).length > 0;
  }

  /** Cases that the kernels without a fault fail on this device, so that they judge nothing. */
  get unsound(): string[] {
    return [...this.#sound].filter(([, sound]) => !sound).map(([name]) => name);
  }

  /** Judges one mutant, by the cases named in `first` before all others. Throws what the device throws. */
  async judge(shader: Shader, mutant: Mutant, first: readonly string[] = []): Promise<Verdict> {
    const text = withFault(shader, mutant);
    const variants = new Map<User, Variant>();
    const programs = new Programs(shader.text);
    let run = 0;
    if (!this.runs(shader)) return { outcome: 'not run' };
    const rank = new Map(first.map((name, i) => [name, i - first.length]));
    const trials = this.#trialsOf(shader).toSorted(
      (one, other) => (rank.get(one.name) ?? 0) - (rank.get(other.name) ?? 0),
    );
    for (const trial of trials) {
      this.onCase(trial.name);
      const { user } = trial;
      const variant = variants.get(user) ?? variantWith(shader, user, text);
      variants.set(user, variant);
      let launch: Launch;
      try {
        launch = launchOf(user.kernel, variant, sizedArgs(trial.test));
      } catch (error) {
        return { outcome: 'invalid', message: (error as Error).message };
      }
      const use = programs.use(launch);
      if (use === 'leave out') continue;
      if (use === 'compile') {
        const { messages } = await this.device.compile(launch);
        const error = messages.find(({ type }) => type === 'error');
        if (error) return { outcome: 'invalid', message: error.text };
      }
      run++;
      const by = await this.#fails(trial, variant);
      if (by !== undefined && (await this.#isSound(trial))) return { outcome: 'killed', by, where: trial.name };
    }
    return { outcome: 'survived', cases: run };
  }

  dispose(): void {
    this.#oracle.dispose();
  }

  /** What the case shows of a variant; undefined if it is right. */
  async #fails(trial: Trial, variant: Variant): Promise<Means | undefined> {
    const { test, seed, user } = trial;
    const expected = () => this.#expectedOf(test, seed);
    const verdict = await checkCase({ device: this.device, test, seed, expected }, this.#attempt(user, variant), {
      shipped: this.#attempt(user, user.variant),
      tolerance: variant.tolerance,
    });
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
    // In reverse with the options of one case: all options share memory alike, and each set of them is another program to compile.
    let options: string | undefined;
    const attempt: Attempt<Declaration> = (args, way) => {
      let launch = launchOf(kernel, variant, args);
      if (way === 'reversed') {
        options ??= JSON.stringify(launch.constants);
        if (options === JSON.stringify(launch.constants)) launch = launchOf(kernel, reversed!, args);
      }
      this.device.dispatch(way === 'folded' && typeof variant.covers === 'number' ? folded(launch) : launch);
      return undefined;
    };
    const made = Object.assign(attempt, { reverses: reversed !== undefined });
    this.#attempts.set(variant, made);
    return made;
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
    const trials = users.flatMap((user) =>
      suiteOf(user.kernel)
        .map((test, seed) => ({ name: `${user.variant.name}: ${test.name}`, user, test, seed }))
        .filter(({ test }) => unmetNeed(user.variant, sizedArgs(test), this.device.adapter) === undefined),
    );
    this.#trials.set(name, trials);
    return trials;
  }
}

/**
 * The programs that a mutant's cases need. Compiling is most of the work, and a matrix product has thirty programs, most of them for what happens to
 * the finished sums: of programs that differ in options only which the text with the fault does not name, one is compiled.
 */
class Programs {
  readonly #names: ReadonlySet<string>;
  /** A program for each set of the options that the text names. */
  readonly #taken = new Map<string, string>();

  constructor(text: string) {
    this.#names = new Set(text.match(/\b[A-Z][A-Z_]*\b/g));
  }

  use({ label, entryPoint, constants }: Launch): 'compile' | 'compiled' | 'leave out' {
    const named = Object.entries(constants).filter(([name]) => this.#names.has(name));
    const [group, program] = [named, constants].map((options) => `${label} ${entryPoint} ${JSON.stringify(options)}`);
    const taken = this.#taken.get(group!);
    if (taken !== undefined) return taken === program ? 'compiled' : 'leave out';
    this.#taken.set(group!, program!);
    return 'compile';
  }
}
