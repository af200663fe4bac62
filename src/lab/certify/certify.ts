/**
 * A device proved right and measured: every kernel in every variant against its twin in float64, whole work against stored numbers, everything
 * twice, and then how fast it is. What fails becomes part of the certificate; what the device throws too.
 */
import { ARCHITECTURES } from '../../clip/config.js';
import { layerProducts } from '../../clip/index.js';
import { messageOf } from '../../errors.js';
import {
  allKernels,
  type Backend,
  type Kernel,
  measureTuning,
  type Timing,
  type Tuning,
  type TuningWork,
  tuningSteps,
  WebGpuBackend,
} from '../../kernels/index.js';
import type { DeviceCeilings } from '../ceilings.js';
import { TOLERANCE } from '../compare.js';
import {
  type Certificate,
  type CertifiedDevice,
  type Determinism,
  type Failure,
  kernelFailures,
  type MeasuredRates,
  type MeasuredTuning,
  type NotMeasured,
  referenceFailures,
  type Stage,
} from './certificate.js';
import { type CheckedVariant, checkVariant, type KernelCheck, variantsOn } from './kernel-checks.js';
import { type KernelRate, rateOf, timedKernels } from './rates.js';
import { checkReference, REFERENCE_MODELS, type ReferenceCheck } from './reference-checks.js';

/** A device to be certified, and how to get at it. */
export interface Subject {
  /** Opens it, with these variants in place of the usual ones. One at a time: each is disposed of before the next. Throws InputError if there is none. */
  open(tuning?: Tuning): Promise<Backend>;
  /** Measures it. None is open meanwhile. */
  ceilings(): Promise<DeviceCeilings>;
  /** As `Certificate.host`. */
  readonly host: Readonly<Record<string, string>>;
}

/** How a device is certified. */
export interface CertifyOptions {
  /** Fewer cases of each kernel, and less to tune and to time. */
  readonly quick?: boolean | undefined;
  /** Which kernels. Default: all, registered ones included. */
  readonly kernels?: readonly Kernel[] | undefined;
  /** Called as the work goes on; what it throws ends it. */
  readonly onStep?: ((step: CertifyStep) => void) | undefined;
}

/** How far a stage is. */
export interface CertifyStep {
  readonly stage: Stage;
  readonly done: number;
  /** Of what `unit` says. */
  readonly total: number;
  readonly unit: string;
  /** What is next, or was last. */
  readonly what: string;
}

/** Certifies a device. Throws what `subject.open` throws at the first call, and what `onStep` throws. */
export async function certify(subject: Subject, options: CertifyOptions = {}): Promise<Certificate> {
  return await new Certification(subject, options).run();
}

/** A quick tuning measures the products of so many layers. */
const QUICK_LAYERS = 2;

/** Thrown by `onStep`, and not by the device. */
class Ended extends Error {}

class Certification {
  readonly #subject: Subject;
  readonly #quick: boolean;
  readonly #kernels: readonly Kernel[];
  readonly #leftOut: number;
  readonly #onStep: (step: CertifyStep) => void;
  readonly #failures: Failure[] = [];
  readonly #seconds: Partial<Record<Stage, number>> = {};

  constructor(subject: Subject, { quick = false, kernels = allKernels(), onStep = () => {} }: CertifyOptions) {
    this.#subject = subject;
    this.#quick = quick;
    this.#kernels = kernels;
    this.#leftOut = allKernels().filter((kernel) => !kernels.includes(kernel)).length;
    this.#onStep = (step) => {
      try {
        onStep(step);
      } catch (error) {
        throw new Ended('ended', { cause: error });
      }
    };
  }

  async run(): Promise<Certificate> {
    const date = new Date().toISOString();
    try {
      const { device, checks } = await this.#stage('kernels', () => this.#checkKernels());
      const references = await this.#stage('reference numbers', () => this.#checkReferences(device));
      const tuning = await this.#stage('tuning', () => this.#tune(device));
      const ceilings = await this.#stage('ceilings', () => this.#measureCeilings());
      const rates = await this.#stage('rates', () => this.#measureRates(ceilings, tuning));
      return {
        ...{ format: 1, right: this.#failures.length === 0, failures: this.#failures, quick: this.#quick },
        ...{ device, host: this.#subject.host, date, seconds: this.#seconds },
        ...{
          kernels: checks,
          kernelsLeftOut: this.#leftOut,
          references,
          determinism: determinismOf(checks, references),
          tuning,
          rates,
        },
      };
    } catch (error) {
      throw error instanceof Ended ? error.cause : error;
    }
  }

  async #stage<T>(stage: Stage, body: () => Promise<T>): Promise<T> {
    const start = performance.now();
    const result = await body();
    this.#seconds[stage] = (performance.now() - start) / 1000;
    return result;
  }

  /** A fault of the device at a stage that is no single kernel's. Throws what is none. */
  #fault(where: string, error: unknown): NotMeasured {
    if (error instanceof Ended) throw error;
    const detail = lineOf(error);
    this.#failures.push({ where, what: 'fault', detail });
    return { notMeasured: detail };
  }

  async #checkKernels(): Promise<{ device: CertifiedDevice; checks: KernelCheck[] }> {
    let backend: Backend | undefined = await this.#subject.open();
    try {
      const { kind, description } = backend;
      const device = { kind, description, ...(backend instanceof WebGpuBackend && { adapter: backend.adapter }) };
      const variants = variantsOn(backend, this.#kernels, this.#quick);
      const total = variants.reduce((sum, { cases }) => sum + cases.length, 0);
      const checks: KernelCheck[] = [];
      let done = 0;
      for (const one of variants) {
        const what = `${one.kernel.name} (${one.variant})`;
        const onCase = (cases: number) =>
          this.#onStep({ stage: 'kernels', done: done + cases, total, unit: 'cases', what });
        onCase(0);
        let check: KernelCheck;
        try {
          backend ??= await this.#subject.open();
          check = await checkVariant(backend, one, onCase);
        } catch (error) {
          if (error instanceof Ended) throw error;
          // A fault takes the device with it; the next variant opens it anew.
          backend?.dispose();
          backend = undefined;
          check = faulty(one, lineOf(error));
        }
        checks.push(check);
        this.#failures.push(...kernelFailures(check));
        done += one.cases.length;
      }
      return { device, checks };
    } finally {
      backend?.dispose();
    }
  }

  async #checkReferences({ adapter }: CertifiedDevice): Promise<ReferenceCheck[]> {
    const checks: ReferenceCheck[] = [];
    // In browsers, software adapters take minutes for the wide one.
    const models = REFERENCE_MODELS.filter((model) => model === 'narrow' || !(this.#quick && adapter?.software));
    for (const [done, model] of models.entries()) {
      const total = models.length;
      this.#onStep({ stage: 'reference numbers', done, total, unit: 'models', what: `the ${model} model, twice` });
      try {
        checks.push(...(await checkReference(() => this.#subject.open(), model)));
      } catch (error) {
        this.#fault(`the ${model} model`, error);
      }
    }
    this.#failures.push(...checks.flatMap(referenceFailures));
    return checks;
  }

  async #tune({ kind, adapter }: CertifiedDevice): Promise<MeasuredTuning | NotMeasured> {
    if (kind === 'cpu') return { notMeasured: 'the CPU has nothing to tune' };
    if (this.#quick && adapter?.software)
      return { notMeasured: 'it takes minutes on a software adapter, so the quick check leaves it out' };
    const work = this.#tuningWork(adapter?.software ?? false);
    const kernels = this.#kernels.filter(({ variants }) => variants.length > 1);
    if (kernels.length === 0) return { notMeasured: 'none of the kernels has several variants' };
    return await this.#onDevice('tuning', undefined, async (backend) => {
      const total = tuningSteps(work, kernels);
      const timings: Timing[] = [];
      let done = 0;
      const onMeasured = (more: readonly Timing[]) => {
        timings.push(...more);
        this.#onStep({ stage: 'tuning', done: ++done, total, unit: 'sizes', what: more[0]?.work ?? '' });
      };
      return { tuning: await measureTuning(backend as WebGpuBackend, work, onMeasured, kernels), timings };
    });
  }

  /** The sizes of ViT-B/32; on a software adapter a quarter of its widths, which take a sixteenth of the time. */
  #tuningWork(software: boolean): TuningWork {
    const narrowing = software ? 4 : 1;
    const layers = layerProducts(ARCHITECTURES.get('ViT-B/32')!).map(({ n, k, ...layer }) => ({
      ...layer,
      n: n / narrowing,
      k: k / narrowing,
    }));
    const attention = { rows: 50, heads: 12 / narrowing, headWidth: 64 };
    return { layers: this.#quick ? layers.slice(0, QUICK_LAYERS) : layers, attention };
  }

  async #measureCeilings(): Promise<DeviceCeilings | NotMeasured> {
    this.#onStep({ stage: 'ceilings', done: 0, total: 1, unit: '', what: 'arithmetic and copying' });
    try {
      return await this.#subject.ceilings();
    } catch (error) {
      return this.#fault('ceilings', error);
    }
  }

  async #measureRates(
    ceilings: DeviceCeilings | NotMeasured,
    tuned: MeasuredTuning | NotMeasured,
  ): Promise<MeasuredRates | NotMeasured> {
    if ('notMeasured' in ceilings) return ceilings;
    const kernels = timedKernels(this.#kernels, this.#quick);
    return await this.#onDevice('rates', 'tuning' in tuned ? tuned.tuning : undefined, async (backend) => {
      const rates: KernelRate[] = [];
      for (const [done, kernel] of kernels.entries()) {
        this.#onStep({ stage: 'rates', done, total: kernels.length, unit: 'kernels', what: kernel.name });
        rates.push(await rateOf(backend, kernel, ceilings));
      }
      return { ceilings, kernels: rates };
    });
  }

  /** A stage on a device of its own. */
  async #onDevice<T>(
    stage: Stage,
    tuning: Tuning | undefined,
    body: (backend: Backend) => Promise<T>,
  ): Promise<T | NotMeasured> {
    let backend: Backend | undefined;
    try {
      backend = await this.#subject.open(tuning);
      return await body(backend);
    } catch (error) {
      return this.#fault(stage, error);
    } finally {
      backend?.dispose();
    }
  }
}

/** What a device says may have several lines. */
function lineOf(error: unknown): string {
  return messageOf(error).replace(/\s+/g, ' ').trim();
}

/** The check of a variant that the device did not finish. */
function faulty({ kernel, variant, cases, leftOut }: CheckedVariant, fault: string): KernelCheck {
  return {
    ...{ kernel: kernel.name, variant, suite: kernel.cases.suite.length, cases: 0, wrong: [], unstable: [] },
    ...{ error: Number.NaN, tolerance: TOLERANCE, leftOut: { ...leftOut, 'the device failed': cases.length }, fault },
  };
}

function determinismOf(checks: readonly KernelCheck[], references: readonly ReferenceCheck[]): Determinism {
  const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);
  return {
    // A wrong case is not run again.
    cases: sum(checks.map(({ cases, wrong }) => cases - wrong.length)),
    unstableCases: sum(checks.map(({ unstable }) => unstable.length)),
    numbers: sum(references.map(({ elements }) => elements)),
    changedNumbers: sum(references.map(({ changed }) => changed)),
  };
}
