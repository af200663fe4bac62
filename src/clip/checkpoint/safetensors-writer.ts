/**
 * Streaming writer for safetensors: writes the header, then one tensor at a time, so that conversion never holds more than
 * one tensor in memory.
 *
 * The file does not depend on the order in which tensors are given: they are sorted by element size (largest first), then by
 * name in code-unit order. That is also the reference writer's order; with the header padded to a multiple of 8 bytes, it
 * aligns every tensor to its element size without the gaps that the format forbids.
 */
import { InputError } from '../../errors.js';
import { type DType, elementCount, itemBytes } from './dtype.js';
import { MAX_HEADER_BYTES } from './safetensors.js';

/** Receives a file's bytes in order. The writer awaits each promise, which provides back-pressure. */
export type ByteSink = (chunk: Uint8Array) => Promise<void> | void;

/** A tensor to write. */
export interface SafetensorsEntry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Returns the tensor's bytes, little-endian, at once or in parts. Called once, just before they are written. */
  read(): Promise<Uint8Array> | Uint8Array | AsyncIterable<Uint8Array>;
}

/** Writes a safetensors file to `sink`. Throws `InputError` if two entries share a name. */
export async function writeSafetensors(
  entries: readonly SafetensorsEntry[],
  metadata: ReadonlyMap<string, string>,
  sink: ByteSink,
): Promise<void> {
  const ordered = [...entries].sort(
    (a, b) => itemBytes(b.dtype) - itemBytes(a.dtype) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
  await sink(encodeHeader(ordered, metadata));
  for (const entry of ordered) {
    const bytes = await entry.read();
    let length = 0;
    for await (const part of bytes instanceof Uint8Array ? [bytes] : bytes) {
      length += part.length;
      if (length <= byteLength(entry)) await sink(part);
    }
    if (length !== byteLength(entry))
      throw new Error(`tensor "${entry.name}" should have ${byteLength(entry)} bytes, its reader gave ${length}`);
  }
}

function encodeHeader(entries: readonly SafetensorsEntry[], metadata: ReadonlyMap<string, string>): Uint8Array {
  const fields: string[] = [];
  const taken = new Set(['__metadata__']);
  // Metadata is sorted by key for the same reason. The JSON is assembled by hand because an object would drop "__proto__"
  // and move integer-like names to the front.
  if (metadata.size > 0) {
    const pairs = [...metadata].sort(([a], [b]) => (a < b ? -1 : 1));
    fields.push(
      `"__metadata__":{${pairs.map(([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`).join(',')}}`,
    );
  }
  let offset = 0;
  for (const entry of entries) {
    if (taken.has(entry.name))
      throw new InputError(`tensor "${entry.name}" cannot be written to safetensors: the name is taken`);
    taken.add(entry.name);
    const end = offset + byteLength(entry);
    const value = { dtype: entry.dtype, shape: entry.shape, data_offsets: [offset, end] };
    fields.push(`${JSON.stringify(entry.name)}:${JSON.stringify(value)}`);
    offset = end;
  }
  const json = new TextEncoder().encode(`{${fields.join(',')}}`);
  const padded = Math.ceil(json.length / 8) * 8;
  if (padded > MAX_HEADER_BYTES)
    throw new InputError(`a safetensors header of ${padded} bytes is over the limit of ${MAX_HEADER_BYTES}`);
  const header = new Uint8Array(8 + padded).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(json, 8);
  return header;
}

function byteLength(entry: SafetensorsEntry): number {
  return elementCount(entry.shape, `tensor "${entry.name}"`) * itemBytes(entry.dtype);
}
