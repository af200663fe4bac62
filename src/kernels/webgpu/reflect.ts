/**
 * Reads a kernel's binding contract out of its WGSL text: the fields of `struct Params`, the storage bindings with their access, and
 * the pipeline constants. The shader file stays the only place that states them, and launching goes by name.
 *
 * This understands the plain subset that `shaders/` is written in, not WGSL at large.
 */

export interface ShaderInterface {
  /** Fields of `struct Params` in order; each takes four bytes. */
  params: { name: string; type: 'u32' | 'f32' }[];
  /** Storage bindings 1..n by number; binding 0 is the Params uniform. */
  bindings: { name: string; access: 'read' | 'read_write' }[];
  /** Names of `override` constants. */
  constants: Set<string>;
}

/** Throws Error where the bindings are not numbered from 1 without a gap. */
export function reflectShader(source: string): ShaderInterface {
  const code = source.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
  const struct = /struct\s+Params\s*\{([^}]*)\}/.exec(code)?.[1] ?? '';
  const params = [...struct.matchAll(/(\w+)\s*:\s*(u32|f32)\b/g)].map((field) => ({
    name: field[1]!,
    type: field[2] as 'u32' | 'f32',
  }));
  const found = [...code.matchAll(/@binding\(\s*(\d+)u?\s*\)\s*var\s*<\s*storage\s*(?:,\s*(\w+)\s*)?>\s*(\w+)/g)];
  found.sort((one, other) => Number(one[1]) - Number(other[1]));
  const bindings = found.map(([text, number, access = 'read', name], i) => {
    if (Number(number) !== i + 1) throw new Error(`storage bindings must be numbered from 1 without a gap: ${text}`);
    return { name: name!, access: access as 'read' | 'read_write' };
  });
  const constants = new Set([...code.matchAll(/\boverride\s+(\w+)\s*[:=]/g)].map((constant) => constant[1]!));
  return { params, bindings, constants };
}
