/** What a certificate holds, and which of it are failures. */
import type { AdapterSummary, Timing, Tuning } from '../../kernels/index.js';
import type { DeviceCeilings } from '../ceilings.js';
import type { WorstElement } from '../compare.js';
import type { KernelCheck } from './kernel-checks.js';
import type { KernelRate } from './rates.js';
import type { ReferenceCheck } from './reference-checks.js';

/** A device proved right, or wrong, and measured. All of it is plain data. */
export interface Certificate {
  /** Of this document; a larger number is laid out differently. */
  readonly format: 1;
  /** Whether nothing failed. */
  readonly right: boolean;
  readonly failures: readonly Failure[];
  /** Whether cases, and pieces of work to tune, were left out to take less time. */
  readonly quick: boolean;
  readonly device: CertifiedDevice;
  /** The program and its host, such as the versions of this package and of Node, by names for people. */
  readonly host: Readonly<Record<string, string>>;
  /** When it began, ISO 8601. */
  readonly date: string;
  /** How long each stage took. */
  readonly seconds: Readonly<Partial<Record<Stage, number>>>;
  readonly kernels: readonly KernelCheck[];
  /** Kernels that were not asked for; 0 unless `certify` was given some. */
  readonly kernelsLeftOut: number;
  readonly references: readonly ReferenceCheck[];
  readonly determinism: Determinism;
  readonly tuning: MeasuredTuning | NotMeasured;
  readonly rates: MeasuredRates | NotMeasured;
}

/** The stages of the work, in their order. */
export type Stage = 'kernels' | 'reference numbers' | 'tuning' | 'ceilings' | 'rates';

/** The device as it was opened. */
export interface CertifiedDevice {
  readonly kind: 'cpu' | 'webgpu';
  readonly description: string;
  /** With vendor, driver as far as WebGPU tells, features and limits; on the CPU there is none. */
  readonly adapter?: AdapterSummary;
}

/** The largest finite error of the checks that tolerate as much, the strictest first: a variant in half precision is held to another one. */
export function largestErrors(
  checks: readonly { readonly error: number; readonly tolerance: number }[],
): { readonly tolerance: number; readonly error: number; readonly checks: number }[] {
  const tolerances = [...new Set(checks.map(({ tolerance }) => tolerance))].sort((one, other) => one - other);
  return tolerances.map((tolerance) => {
    const alike = checks.filter((check) => check.tolerance === tolerance);
    const error = Math.max(0, ...alike.map(({ error }) => error).filter(Number.isFinite));
    return { tolerance, error, checks: alike.length };
  });
}

/** The variants that a case was run of: none can be of those that need what the device lacks. */
export function triedOf<Check extends Pick<KernelCheck, 'cases' | 'fault'>>(kernels: readonly Check[]): Check[] {
  return kernels.filter(({ cases, fault }) => cases > 0 || fault !== undefined);
}

/** What was run twice, and what had other bits. */
export interface Determinism {
  /** Cases of kernels. */
  readonly cases: number;
  readonly unstableCases: number;
  /** Numbers of the reference models. */
  readonly numbers: number;
  readonly changedNumbers: number;
}

/** What is missing, and why. */
export interface NotMeasured {
  readonly notMeasured: string;
}

/** Which variants are fastest on this device. */
export interface MeasuredTuning {
  readonly tuning: Tuning;
  readonly timings: readonly Timing[];
}

/** Rates, beside what the device can do at best. */
export interface MeasuredRates {
  readonly ceilings: DeviceCeilings;
  readonly kernels: readonly KernelRate[];
}

/** What is not as it should be. */
export interface Failure {
  /** A kernel and its variant, an output of a reference model, or a stage. */
  readonly where: string;
  /** `wrong`: off by more than rounding; `unstable`: other bits in a second run; `fault`: the device failed. */
  readonly what: 'wrong' | 'unstable' | 'fault';
  /** One line. */
  readonly detail: string;
  /** The case of a kernel. */
  readonly case?: string;
  /** The element that is the furthest off. */
  readonly worst?: WorstElement;
}

/** Failures of a kernel's variant, one for each case. */
export function kernelFailures({ kernel, variant, wrong, unstable, fault }: KernelCheck): Failure[] {
  const where = `${kernel} (${variant})`;
  return [
    ...wrong.map(({ name, comparison: { worst, wrong, overrun, elements } }): Failure => {
      const off = wrong - overrun;
      const detail = [
        off > 0 ? `${off} of ${elements} elements off${worst ? `, worst ${elementText(worst)}` : ''}` : '',
        overrun > 0 ? `${overrun} numbers written past the end` : '',
      ];
      return { where, what: 'wrong', case: name, detail: detail.filter(Boolean).join('; '), ...(worst && { worst }) };
    }),
    ...unstable.map((name): Failure => ({ where, what: 'unstable', case: name, detail: 'other bits in a second run' })),
    ...(fault === undefined ? [] : [{ where, what: 'fault', detail: fault } as const]),
  ];
}

/** Failures of an output of a reference model. */
export function referenceFailures(check: ReferenceCheck): Failure[] {
  const { model, output, error, tolerance, worst, changed, elements } = check;
  const where = `${output} of the ${model} model`;
  const failures: Failure[] = [];
  // Written so that NaN is a failure.
  if (!(error <= tolerance)) {
    const detail = worst ? `worst ${elementText(worst)}, tolerance ${tolerance} of the largest` : 'not comparable';
    failures.push({ where, what: 'wrong', detail, ...(worst && { worst }) });
  }
  if (changed > 0)
    failures.push({ where, what: 'unstable', detail: `${changed} of ${elements} numbers changed in a second run` });
  return failures;
}

/** A failure in one line: `softmax (shipped): wrong on softmax rows=3,columns=5: 2 of 15 elements off, worst out[0, 1] is 0.4, expected 0.2`. */
export function failureText({ where, what, case: name, detail }: Failure): string {
  return `${where}: ${what}${name === undefined ? '' : ` on ${name}`}: ${detail}`;
}

function elementText({ output, index, found, expected }: WorstElement): string {
  return `${output}[${index.join(', ')}] is ${found}, expected ${expected}`;
}

/** The certificate as a JSON document; NaN and infinities, which JSON lacks, are the texts "NaN", "Infinity" and "-Infinity". */
export function certificateJson(certificate: Certificate): string {
  const text = (_: string, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
  return JSON.stringify(certificate, text, 2);
}
