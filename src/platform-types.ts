/**
 * What the declarations of this package name of the platform and what not every program that uses it declares: WebGPU and WebAssembly
 * (in Node without the DOM library), files and signals, disposal. Empty interfaces merge with the real ones where those are, and
 * stand for them, as opaque values, where not. Imported by every entry point of the package.
 */
/// <reference lib="esnext.disposable" preserve="true" />
declare global {
  interface GPU {}
  interface GPUAdapter {}
  interface GPUDevice {}
  interface GPUBuffer {}
  interface GPUBindGroup {}
  interface GPUBindGroupLayout {}
  interface GPUComputePipeline {}
  interface ImageData {}
  interface Blob {}
  interface File {}
  interface AbortSignal {}
  namespace WebAssembly {
    interface Module {}
    interface Memory {}
  }
}

export {};
