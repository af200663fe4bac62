/** All learned numbers as one array: what files and the state of a training hold, however many tensors they are on the device. */

/** The arrays one after the other. A single one is returned as it is. */
export function joined(parts: readonly Float32Array[]): Float32Array {
  const [only] = parts;
  if (only && parts.length === 1) return only;
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The parts of `all` that have these sizes. Throws Error if they are not all of it. */
export function partsOf(all: Float32Array, sizes: readonly { readonly size: number }[]): Float32Array[] {
  let at = 0;
  const parts = sizes.map(({ size }) => {
    at += size;
    return all.subarray(at - size, at);
  });
  if (at !== all.length) throw new Error(`expected ${at} learned numbers, found ${all.length}`);
  return parts;
}
