/**
 * Reader for safetensors, https://github.com/huggingface/safetensors#format:
 *
 *     u64  N                      header length, little-endian
 *     N    bytes of JSON          { name: { dtype, shape, data_offsets: [begin, end] }, "__metadata__": { text: text } }
 *     ...  tensor data            offsets count from here; the tensors tile it without holes or overlap
 *
 * The header is fully validated. Only the header is read until a tensor is requested.
 */
import { InputError } from '../../errors.js';
import type { ByteSource } from './byte-source.js';
import { type Checkpoint, requireTensor } from './checkpoint.js';
import { elementCount, isDType, itemBytes } from './dtype.js';
import { quoted } from './quoted.js';
import { contiguousStrides, readStrided, type StridedTensor } from './strided-tensor.js';

/**
 * Larger headers are refused before anything is allocated. The format allows 100 MB; a CLIP's header takes 0.1 MB, and parsed JSON can
 * take 20 times the size of its text.
 */
export const MAX_HEADER_BYTES = 16 * 2 ** 20;

interface Entry {
  readonly tensor: StridedTensor;
  /** Offset of the tensor's first byte in the file. */
  readonly begin: number;
  readonly end: number;
}

/** Opens a safetensors file. Throws `InputError` if it violates the format. */
export async function openSafetensors(source: ByteSource): Promise<Checkpoint> {
  const { name } = source;
  if (source.size < 8)
    throw new InputError(`${name}: a safetensors file starts with 8 bytes, this one has ${source.size}`);
  const headerBytes = Number(new DataView((await source.read(0, 8)).buffer).getBigUint64(0, true));
  if (headerBytes > MAX_HEADER_BYTES || headerBytes > source.size - 8) {
    throw new InputError(
      `${name}: the safetensors header claims ${headerBytes} bytes in a file of ${source.size} (truncated or not safetensors)`,
    );
  }
  const header = parseHeader(await source.read(8, headerBytes), name);
  const { entries, metadata } = readHeader(header, 8 + headerBytes, source);
  const find = (tensorName: string): Entry => requireTensor(entries, tensorName, name);
  return {
    name,
    format: 'safetensors',
    metadata,
    names: () => [...entries.keys()],
    has: (tensorName) => entries.has(tensorName),
    shape: (tensorName) => find(tensorName).tensor.shape,
    dtype: (tensorName) => find(tensorName).tensor.dtype,
    read: async (tensorName, rows, halves) => {
      const { tensor, begin } = find(tensorName);
      const readStorage = (offset: number, length: number) => source.read(begin + offset, length);
      return readStrided(tensor, readStorage, `${name}: tensor ${quoted(tensorName)}`, rows, halves);
    },
  };
}

function parseHeader(bytes: Uint8Array, name: string): object {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new InputError(`${name}: the safetensors header is not valid JSON`);
  }
  if (!isObject(header)) throw new InputError(`${name}: the safetensors header is not a JSON object`);
  return header;
}

/** Checks every entry, and that together they tile the data, which also catches duplicate names. */
function readHeader(
  header: object,
  dataStart: number,
  source: ByteSource,
): { entries: Map<string, Entry>; metadata: Map<string, string> } {
  const entries = new Map<string, Entry>();
  let metadata = new Map<string, string>();
  // JSON.parse makes "__proto__" an ordinary own property, and a Map keeps it one.
  for (const [key, value] of Object.entries(header) as [string, unknown][]) {
    if (key === '__metadata__') metadata = readMetadata(value, source.name);
    else entries.set(key, readEntry(value, dataStart, `${source.name}: tensor ${quoted(key)}`));
  }
  let expected = dataStart;
  for (const [key, entry] of [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin !== expected) {
      const problem = entry.begin < expected ? 'overlaps the one before it' : 'leaves a hole before it';
      throw new InputError(
        `${source.name}: tensor ${quoted(key)} ${problem}, at data offset ${entry.begin - dataStart}`,
      );
    }
    expected = entry.end;
  }
  if (expected !== source.size) {
    throw new InputError(
      `${source.name}: the header describes ${expected} bytes, the file has ${source.size} (truncated or damaged)`,
    );
  }
  return { entries, metadata };
}

function readEntry(value: unknown, dataStart: number, what: string): Entry {
  if (!isObject(value)) throw new InputError(`${what}: its header entry is not an object`);
  const { dtype, shape, data_offsets: range } = value;
  if (!isDType(dtype)) throw new InputError(`${what}: the type ${quoted(dtype)} is not supported`);
  if (!Array.isArray(shape)) throw new InputError(`${what}: its header entry has no shape`);
  const bytes = elementCount(shape, what) * itemBytes(dtype);
  const [begin, end] = Array.isArray(range) && range.length === 2 ? (range as unknown[]) : [];
  if (!isOffset(begin) || !isOffset(end) || begin > end) {
    throw new InputError(`${what}: data_offsets should be two ascending offsets, found ${quoted(range)}`);
  }
  if (end - begin !== bytes) {
    throw new InputError(
      `${what}: ${dtype} [${shape.join(', ')}] takes ${bytes} bytes, data_offsets span ${end - begin}`,
    );
  }
  const sizes = shape as number[];
  const tensor = { dtype, shape: sizes, strides: contiguousStrides(sizes), offset: 0 };
  return { tensor, begin: dataStart + begin, end: dataStart + end };
}

function readMetadata(value: unknown, name: string): Map<string, string> {
  if (!isObject(value)) throw new InputError(`${name}: __metadata__ in the safetensors header is not an object`);
  const metadata = new Map<string, string>();
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string')
      throw new InputError(`${name}: __metadata__ ${quoted(key)} in the safetensors header is not text`);
    metadata.set(key, text);
  }
  return metadata;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOffset(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
