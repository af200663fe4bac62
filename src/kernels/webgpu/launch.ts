/** The description of one dispatch: program, constants, parameters, buffers and grid. */
import type { DeviceBuffer } from '../contract.js';
import type { shaders } from './shaders.generated.js';

export type ShaderFile = keyof typeof shaders;

export interface Launch {
  /** WGSL files, joined in this order; the last one holds the entry point. */
  files: readonly ShaderFile[];
  /** WGSL text that replaces the files: a kernel being tested. */
  source?: string | undefined;
  entryPoint: string;
  // By name: one that the shader does not have is an error.
  /** Values of `override` constants; those left out keep the shader's default. */
  constants?: Record<string, number>;
  /** Values of `struct Params`, all of them. */
  params: Record<string, number>;
  /** Storage buffers by name; those left out are bound to a dummy (see the shader's HAS_* constants). */
  buffers: Record<string, DeviceBuffer | undefined>;
  /** The buffer that the shader reads as fp16 values. */
  halves?: string | undefined;
  workgroups: readonly [number, number];
}

/** Invocations per workgroup of all kernels but the matrix products. */
export const LANES = 64;

/** The limit of a grid axis that every WebGPU adapter has. */
const MAX_AXIS = 65_535;

/** A grid of at least `count` workgroups; the shader computes its linear index and ignores the excess. */
export function groupGrid(count: number): readonly [number, number] {
  if (count <= MAX_AXIS) return [count, 1];
  return [MAX_AXIS, Math.ceil(count / MAX_AXIS)];
}

/** A grid with one invocation for each of `count` elements. */
export function elementGrid(count: number): readonly [number, number] {
  return groupGrid(Math.ceil(count / LANES));
}
