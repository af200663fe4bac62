/**
 * A device proved right and measured, in one document: `certify` is the job, `certificate` what it gives. `kernel-checks` holds every kernel
 * against its twin, `reference-checks` whole work on the models of `reference-model` against stored numbers, `rates` times.
 */
export {
  type Certificate,
  type CertifiedDevice,
  certificateJson,
  type Determinism,
  type Failure,
  failureText,
  type MeasuredRates,
  type MeasuredTuning,
  type NotMeasured,
  type Stage,
} from './certificate.js';
export { type CertifyOptions, type CertifyStep, certify, type Subject } from './certify.js';
export type { KernelCheck } from './kernel-checks.js';
export type { KernelRate } from './rates.js';
export { REFERENCE_MODELS, type ReferenceCheck } from './reference-checks.js';
export { REFERENCE_OUTPUTS, type ReferenceModel, type ReferenceOutput } from './reference-model.js';
