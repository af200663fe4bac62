/** The compiled code, in four kinds: with or without relaxed SIMD, for shared or unshared memory. */
import { baseline, relaxed as relaxedBinary, sharedFlagAt } from './binaries.generated.js';

/** Whether this engine runs fixed-width SIMD, without which there is no fast product. */
export function simdSupported(): boolean {
  return WebAssembly.validate(decode(baseline));
}

/** Whether this engine has relaxed SIMD, that is, fused multiply-add if the processor does. */
export function relaxedSupported(): boolean {
  return WebAssembly.validate(decode(relaxedBinary));
}

/** The compiled code, as text; with relaxed SIMD or without. */
export function binaryText(relaxed: boolean): string {
  return relaxed ? relaxedBinary : baseline;
}

/** Compiles for a kind of memory. Throws if the engine lacks what is asked for: see the two functions above. */
export function compile(kind: { relaxed: boolean; shared: boolean }): WebAssembly.Module {
  const bytes = decode(kind.relaxed ? relaxedBinary : baseline);
  // The flags of the memory import: 3 is shared with a maximum, 1 unshared with a maximum. Nothing else differs.
  if (!kind.shared) bytes[kind.relaxed ? sharedFlagAt.relaxed : sharedFlagAt.baseline] = 1;
  return new WebAssembly.Module(bytes);
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
