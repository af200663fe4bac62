/** Kernels: how they are declared, those that the library ships (families/), and the two backends that run them, WebGPU (shaders/) and CPU. */
export type {} from '../platform-types.js';

export * from './backend.js';
export {
  type CaseData,
  caseOf,
  type KernelCase,
  type KernelOutput,
  openCase,
  runCase,
  sizedArgs,
  suiteOf,
} from './cases.js';
export { CheckedBackend, NonFiniteKernelError } from './checked.js';
export { type KernelCost, kernelCost } from './cost.js';
export { CpuBackend, type CpuOptions } from './cpu/backend.js';
export type { KernelWorker, StartWorker, WasmBuild, WorkerTask } from './cpu/wasm/index.js';
export * from './definition.js';
export { DEVICE_CHOICES, type DeviceChoice } from './device-choice.js';
export { ACTIVATIONS, type Activation, activationCode } from './families/activation.js';
export { windowsAlong } from './families/convolution.js';
export type { BinaryName } from './families/general/broadcast.js';
export { generalKernels } from './families/general/index.js';
export { type PointwiseName, pointwise, pointwiseGrad, pointwiseSaves } from './families/general/pointwise.js';
export { allKernels, kernelNamed, kernels, registerKernels } from './families/index.js';
export { matmulFlops } from './families/matmul.js';
export { areHalves, float32FromHalf, halfFromFloat32, halvesFromFloat32 } from './half.js';
export { type AutoChoice, chooseDevice, type OpenDeviceOptions, type OpenedDevice, openDevice } from './open-device.js';
export {
  type Dispatch,
  type DispatchClock,
  type Dispatched,
  type KernelProfile,
  type OperationProfile,
  Profiler,
} from './profiler.js';
export { WebGpuBackend, type WebGpuOptions } from './webgpu/backend.js';
export { type AdapterSummary, describeAdapter, findAdapter } from './webgpu/device.js';
export { DeviceError, DeviceLostError, DeviceMemoryError } from './webgpu/faults.js';
export type { Launch } from './webgpu/launch.js';
export type { Compilation, CompilerMessage } from './webgpu/programs.js';
export type { ShaderInterface } from './webgpu/reflect.js';
export { measureTuning, type Timing, tuningSteps } from './webgpu/tuner.js';
export { alwaysUse, type KernelTuning, parseTuning, type Tuning } from './webgpu/tuning.js';
