/** Byte arrays put together by hand: what the builders of hostile files have in common. */

/** Joins numbers (bytes), strings (UTF-8) and byte arrays. */
export function concat(...parts: readonly (number | string | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  return join(
    parts.map((part) =>
      typeof part === 'number' ? Uint8Array.of(part) : typeof part === 'string' ? encoder.encode(part) : part,
    ),
  );
}

/** Joins byte arrays. */
export function join(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}

/** A little-endian unsigned integer of `size` bytes. */
export function littleEndian(value: number, size: 2 | 4 | 8): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes.subarray(0, size);
}
