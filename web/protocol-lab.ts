/** The laboratory's part of the protocol: kernels, starting texts, and a text of the user's on trial. */
import type { Compilation, Sizes } from '../src/kernels/index.js';
import type {
  DeviceCeilings,
  Job,
  JudgedCase,
  Parity,
  RecordedShape,
  StepTrace,
  TimedVariants,
  Trial,
  VariantTime,
} from '../src/lab/index.js';
import type { Progress, Task } from './protocol.js';

export interface LabTasks {
  /** The kernels, and the adapter that runs them. */
  'lab-kernels': Task<Nothing, LabReport>;
  /** The shapes that embedding and training really use. */
  'lab-shapes': Task<Nothing, LabShapes>;
  /** A shipped variant as a commented file to start from. */
  'lab-starter': Task<{ kernel: string; variant: string }, { text: string }>;
  /** Records a kernel's run step by step, without a device: by the kernel's name, of one workgroup. */
  'lab-steps': Task<LabStepsRequest, LabSteps>;
  /** Compiles a text, holds it against the twin, times it beside the shipped variants. */
  'lab-try': Task<LabRequest, LabTrial, Progress>;
  /** Proves the adapter right and measures it. */
  'lab-certify': Task<LabCertifyRequest, LabCertificate, Progress>;
}

type Nothing = Readonly<Record<string, never>>;

export interface LabReport {
  /** Undefined if this browser has no WebGPU adapter. */
  readonly adapter: LabAdapter | undefined;
  readonly kernels: readonly LabKernelReport[];
}

export interface LabAdapter {
  readonly description: string;
  /** True where WebGPU runs on the processor: right, and slow. */
  readonly software: boolean;
}

export interface LabKernelReport {
  readonly kernel: string;
  readonly equation: string;
  /** From the plainest to the most elaborate. */
  readonly variants: readonly string[];
  /** Names and usual values. */
  readonly extents: Sizes;
  readonly options: Sizes;
  /** Cases in its suite. */
  readonly cases: number;
}

export interface LabShapes {
  /** What each job is, for people. */
  readonly jobs: Readonly<Record<Job, string>>;
  readonly shapes: readonly (RecordedShape & { readonly job: Job })[];
}

export interface LabStepsRequest {
  /** One of `LabSteps.names`; undefined: the first. */
  readonly name: string | undefined;
  readonly group: readonly [x: number, y: number];
}

export interface LabSteps {
  /** All that can be stepped through. */
  readonly names: readonly string[];
  readonly trace: StepTrace;
}

export interface LabRequest {
  readonly kernel: string;
  readonly text: string;
  /** Sizes to time, as `m=1728,k=512`; empty: the usual ones. */
  readonly shape: string;
}

/** What became of a text. */
export interface LabTrial extends Pick<Trial, 'notTimed'> {
  readonly device: string;
  /** The case that was timed, or would be. */
  readonly name: string;
  readonly compilation: Compilation;
  /** Undefined if it does not compile. */
  readonly parity: Parity | undefined;
  /** Undefined if it came to no timing. */
  readonly judged: JudgedCase | undefined;
  readonly timings: LabTimings | undefined;
}

export interface LabTimings extends Pick<TimedVariants, 'cost' | 'clock' | 'duel'> {
  /** The user's own is the last. */
  readonly times: readonly LabTime[];
  readonly ceilings: DeviceCeilings;
}

export interface LabTime extends VariantTime {
  /** Of the device's ceiling that is nearer. */
  readonly share: number;
}

export interface LabCertifyRequest {
  readonly quick: boolean;
  /** The only kernel to check; undefined: all. */
  readonly kernel: string | undefined;
}

/** A certificate of the adapter, as files. */
export interface LabCertificate {
  readonly device: string;
  /** One line each; none if the device is right. */
  readonly failures: readonly string[];
  /** Cases of kernels that were run. */
  readonly cases: number;
  readonly json: string;
  readonly html: string;
}
