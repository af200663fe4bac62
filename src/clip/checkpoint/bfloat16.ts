/** bfloat16: the upper 16 bits of a binary32. */

/** Widens bfloat16 bit patterns to binary32. Exact. */
export function float32FromBfloat16(words: Uint16Array): Float32Array {
  const bits = new Uint32Array(words.length);
  for (let i = 0; i < words.length; i++) bits[i] = words[i]! << 16;
  return new Float32Array(bits.buffer);
}
