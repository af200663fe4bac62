/** Kernels: the backend contract and the two backends behind it, WebGPU (shaders/) and CPU (the plain twins). */
export type {} from '../platform-types.js';

export * from './contract.js';
export { type KernelCost, kernelCost, matmulFlops } from './cost.js';
export { CpuBackend, type CpuOptions } from './cpu/backend.js';
export type { KernelWorker, StartWorker, WorkerTask } from './cpu/wasm/index.js';
export { DEVICE_CHOICES, type DeviceChoice } from './device-choice.js';
export { areHalves, float32FromHalf, halfFromFloat32, halvesFromFloat32 } from './half.js';
export { type AutoChoice, chooseDevice, type OpenDeviceOptions, type OpenedDevice, openDevice } from './open-device.js';
export { type KernelProfile, Profiler } from './profiler.js';
export { type AttentionVariantName, attentionVariants } from './webgpu/attention.js';
export { WebGpuBackend, type WebGpuOptions } from './webgpu/backend.js';
export { type AdapterSummary, describeAdapter, findAdapter } from './webgpu/device.js';
export { DeviceError, DeviceLostError, DeviceMemoryError } from './webgpu/faults.js';
export { type MatmulTuning, type MatmulVariantName, matmulVariants } from './webgpu/matmul.js';
export type { Compilation, CompilerMessage } from './webgpu/programs.js';
export type { ShaderInterface } from './webgpu/reflect.js';
export { type LayerProduct, measureTuning, type Timing, type TuningWork, tuningSteps } from './webgpu/tuner.js';
export { defaultTuning, parseTuning, sameAttention, type Tuning } from './webgpu/tuning.js';
