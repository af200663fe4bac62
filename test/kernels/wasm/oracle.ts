/** Runs one product on a WebAssembly engine and on the plain twin in float64, and says how far apart they are. */
import type { CpuHeap, HeapMatmulArgs, WasmEngine } from '../../../src/kernels/cpu/wasm/index.js';
import { type Activation, activationCode } from '../../../src/kernels/families/activation.js';
import { matmul } from '../../../src/kernels/families/matmul.js';
import { halvesFromFloat32, roundedToHalves } from '../../../src/kernels/half.js';

export interface Case {
  m: number;
  n: number;
  k: number;
  transposeA?: boolean;
  transposeB?: boolean;
  halfB?: boolean;
  alpha?: number;
  bias?: boolean;
  activation?: Activation;
  preActivation?: boolean;
  activationGrad?: Activation;
  residual?: boolean;
}

/** A small generator of the same numbers on every run (Steele and others, 2014: SplitMix, in 32 bits). */
export function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** Random operands of a case, in [-1, 1). */
export function operands({ m, n, k, ...rest }: Case, seed = m * 31 + n * 7 + k): Map<string, Float32Array> {
  const next = random(seed);
  const fill = (length: number) => Float32Array.from({ length }, () => 2 * next() - 1);
  const arrays = new Map([
    ['a', fill(m * k)],
    ['b', rest.halfB ? roundedToHalves(fill(k * n)) : fill(k * n)],
  ]);
  if (rest.bias) arrays.set('bias', fill(n));
  // A wide range, so that the tails of the activations are met too.
  if (rest.activationGrad)
    arrays.set(
      'gradAt',
      fill(m * n).map((x) => x * 6),
    );
  if (rest.residual) arrays.set('residual', fill(m * n));
  return arrays;
}

/** Computes `c` in `heap`; outputs start as NaN. Returns copies of `out` and, if asked for, `preActivation`. */
export function runWasm(heap: CpuHeap, engine: WasmEngine, c: Case, inputs: Map<string, Float32Array>): Float32Array[] {
  const addresses = new Map<string, number>();
  const place = (name: string, data: Float32Array) => {
    const half = name === 'b' && c.halfB;
    const address = heap.allocate((half ? 2 : 4) * data.length);
    if (half) heap.u16(address, data.length).set(halvesFromFloat32(data));
    else heap.f32(address, data.length).set(data);
    addresses.set(name, address);
    return address;
  };
  for (const [name, data] of inputs) place(name, data);
  const out = place('out', new Float32Array(c.m * c.n).fill(Number.NaN));
  const args: HeapMatmulArgs = { m: c.m, n: c.n, k: c.k, a: addresses.get('a')!, b: addresses.get('b')!, out };
  if (c.transposeA) args.transposeA = true;
  if (c.transposeB) args.transposeB = true;
  if (c.halfB) args.halfB = true;
  if (c.alpha !== undefined) args.alpha = c.alpha;
  args.bias = addresses.get('bias');
  args.activation = c.activation;
  if (c.preActivation) args.preActivation = place('preActivation', new Float32Array(c.m * c.n).fill(Number.NaN));
  if (c.activationGrad) args.activationGrad = { activation: c.activationGrad, preActivation: addresses.get('gradAt')! };
  args.residual = addresses.get('residual');
  engine.matmul(args);
  const results = [out, ...(c.preActivation ? [addresses.get('preActivation')!] : [])];
  const copies = results.map((address) => heap.f32(address, c.m * c.n).slice());
  for (const address of addresses.values()) heap.free(address);
  return copies;
}

/** The same in float64 by the twin. */
export function runTwin(c: Case, inputs: Map<string, Float32Array>): Float64Array[] {
  const input = (name: string) => Float64Array.from(inputs.get(name)!);
  const out = new Float64Array(c.m * c.n);
  const preActivation = c.preActivation ? new Float64Array(c.m * c.n) : undefined;
  matmul.twin({
    ...{ m: c.m, n: c.n, k: c.k, alpha: c.alpha ?? 1, a: input('a'), b: input('b'), out },
    ...{ transposeA: c.transposeA, transposeB: c.transposeB },
    bias: c.bias ? input('bias') : undefined,
    activation: activationCode(c.activation),
    preActivation,
    activationGrad: activationCode(c.activationGrad),
    gradPreActivation: c.activationGrad && input('gradAt'),
    residual: c.residual ? input('residual') : undefined,
  });
  return preActivation ? [out, preActivation] : [out];
}

/** Largest difference, NaN if either has a NaN. */
export function distance(got: Float32Array, want: Float64Array): number {
  if (got.length !== want.length) return Number.NaN;
  let most = 0;
  for (let i = 0; i < got.length; i++) {
    const difference = Math.abs(got[i]! - want[i]!);
    if (Number.isNaN(difference)) return Number.NaN;
    most = Math.max(most, difference);
  }
  return most;
}

/** Whether two results are the same to the last bit. */
export function sameBits(a: Float32Array[], b: Float32Array[]): boolean {
  return a.length === b.length && a.every((data, i) => Buffer.compare(bytes(data), bytes(b[i]!)) === 0);
}

function bytes({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
