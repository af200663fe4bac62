/** Image features on the host. */

/** Each row of [rows, width] divided by its length, in float64: the f of the method. Returns a new array. */
export function normalizedFeatures(features: Float32Array, width: number): Float32Array {
  const out = new Float32Array(features.length);
  for (let at = 0; at < features.length; at += width) {
    let squares = 0;
    for (let i = at; i < at + width; i++) squares += features[i]! ** 2;
    const length = Math.sqrt(squares);
    for (let i = at; i < at + width; i++) out[i] = length === 0 ? 0 : features[i]! / length;
  }
  return out;
}
