/** The compiled code, in three builds, each for shared or unshared memory. */
import { BUILDS, tiles } from './binaries.generated.js';
import { TILES, type Tile } from './layout.generated.js';

/**
 * `plain` has fixed-width SIMD, `relaxed` multiplies and adds in one step where the processor can, and `wide` does the same by a tile of the
 * product for engines that fuse neighbouring vectors of 128 bits. `relaxed` and `wide` give the same bits.
 */
export type WasmBuild = 'plain' | 'relaxed' | 'wide';

/** Whether this engine runs fixed-width SIMD, without which there is no fast product. */
export function simdSupported(): boolean {
  return WebAssembly.validate(decode(BUILDS.plain.text));
}

/** Whether this engine has relaxed SIMD, that is, fused multiply-add if the processor does. */
export function relaxedSupported(): boolean {
  return WebAssembly.validate(decode(BUILDS.relaxed.text));
}

/** The compiled code as text: the same for builds that give the same bits. */
export function binaryText(build: WasmBuild): string {
  return BUILDS[build === 'plain' ? 'plain' : 'relaxed'].text;
}

/** The tile of a build's inner kernel. */
export function tileOf(build: WasmBuild): Tile {
  return build === 'wide' ? TILES.wide : TILES.narrow;
}

/** Compiles a build for a kind of memory. Throws if the engine lacks what it needs: see the two functions above. */
export function compile({ build, shared }: { build: WasmBuild; shared: boolean }): WebAssembly.Module {
  const { text, sharedFlagAt } = BUILDS[build];
  const bytes = decode(text);
  // The flags of the memory import: 3 is shared with a maximum, 1 unshared with a maximum. Nothing else differs.
  if (!shared) bytes[sharedFlagAt] = 1;
  return new WebAssembly.Module(bytes);
}

/** Compiles the inner kernels alone; needs relaxed SIMD. */
export function compileTiles(): WebAssembly.Module {
  return new WebAssembly.Module(decode(tiles));
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
