/**
 * Reader for ZIP archives (PKWARE APPNOTE 6.3.10: the end record 4.3.16, its 64-bit form 4.3.14-15, the central directory
 * 4.3.12, local headers 4.3.7), the container of PyTorch's files.
 *
 * Opening reads only the central directory; entries are read on demand. Sizes are checked against the file and entries may
 * not overlap, so false sizes and "zip bombs" cannot exhaust memory. Checksums are not verified: PyTorch can be configured
 * not to compute them (`torch.serialization.set_crc32_options`), and then writes wrong ones.
 */
import { Inflate } from 'fflate';
import { InputError, messageOf } from '../../errors.js';
import type { ByteSource } from './byte-source.js';
import { quoted } from './quoted.js';

const END_BYTES = 22;
const END64_LOCATOR_BYTES = 20;
const END64_BYTES = 56;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const MAX_COMMENT_BYTES = 0xffff;
const MAX_DIRECTORY_BYTES = 64 * 2 ** 20;
/** An entry takes a few hundred bytes of memory. PyTorch writes one per tensor; the largest CLIPs have 2,000. */
export const MAX_ENTRIES = 200_000;
/** Four times the largest tensor of the largest CLIP. PyTorch stores tensors uncompressed anyway. */
export const MAX_INFLATED_BYTES = 2 ** 30;
/** Deflate's maximum expansion: 258 bytes from two bits, rounded up (RFC 1951). */
const MAX_DEFLATE_RATIO = 1040;
const INFLATE_STEP = 65536;
const STORED = 0;
const DEFLATED = 8;

interface ZipEntry {
  readonly method: number;
  readonly encrypted: boolean;
  readonly compressedSize: number;
  readonly size: number;
  readonly headerOffset: number;
}

export interface ZipArchive {
  readonly name: string;
  /** Entry names in directory order. */
  names(): readonly string[];
  has(entry: string): boolean;
  /** Uncompressed length of an entry in bytes. */
  size(entry: string): number;
  /**
   * Reads bytes `[offset, offset + length)` of an entry, by default all of it. Stored entries are read by range, deflated
   * ones inflated as a whole. Throws `InputError` for a missing or damaged entry.
   */
  read(entry: string, offset?: number, length?: number): Promise<Uint8Array>;
}

/** Opens a ZIP archive. Throws `InputError` if its directory is damaged, encrypted or spans several files. */
export async function openZip(source: ByteSource): Promise<ZipArchive> {
  const { name } = source;
  const directory = await findDirectory(source);
  const entries = parseDirectory(await source.read(directory.offset, directory.size), directory, name);
  const find = (entryName: string): ZipEntry => {
    const entry = entries.get(entryName);
    if (!entry) throw new InputError(`${name}: the archive has no entry ${quoted(entryName)}`);
    return entry;
  };
  return {
    name,
    names: () => [...entries.keys()],
    has: (entryName) => entries.has(entryName),
    size: (entryName) => find(entryName).size,
    read: async (entryName, offset = 0, length) => {
      const entry = find(entryName);
      const wanted = length ?? entry.size - offset;
      const what = `${name}: archive entry ${quoted(entryName)}`;
      if (!(offset >= 0 && wanted >= 0 && offset + wanted <= entry.size)) {
        throw new InputError(`${what}: bytes ${offset} to ${offset + wanted} are needed, it has ${entry.size}`);
      }
      const start = await dataOffset(source, entry, what);
      if (entry.method === STORED) return source.read(start + offset, wanted);
      if (entry.size > MAX_INFLATED_BYTES) {
        throw new InputError(`${what} inflates to ${entry.size} bytes, over the limit of ${MAX_INFLATED_BYTES}`);
      }
      const bytes = inflate(await source.read(start, entry.compressedSize), entry.size, what);
      return wanted === entry.size ? bytes : bytes.slice(offset, offset + wanted);
    },
  };
}

interface DirectoryPlace {
  readonly offset: number;
  readonly size: number;
  readonly count: number;
}

/** Finds the central directory from the record at the end of the file, or from its 64-bit form. */
async function findDirectory(source: ByteSource): Promise<DirectoryPlace> {
  const { name, size } = source;
  const tailBytes = Math.min(size, END_BYTES + MAX_COMMENT_BYTES);
  const tailStart = size - tailBytes;
  const tail = view(await source.read(tailStart, tailBytes));
  for (let at = tailBytes - END_BYTES; at >= 0; at--) {
    // The comment must end at the end of the file, which rules out a signature inside a comment.
    if (tail.getUint32(at, true) !== 0x06054b50 || at + END_BYTES + tail.getUint16(at + 20, true) !== tailBytes)
      continue;
    let disk = tail.getUint16(at + 4, true);
    let count = tail.getUint16(at + 10, true);
    let directorySize = tail.getUint32(at + 12, true);
    let offset = tail.getUint32(at + 16, true);
    let end = tailStart + at;
    if (count === 0xffff || directorySize === 0xffffffff || offset === 0xffffffff) {
      const record = await readEnd64(source, end);
      if (record) {
        disk = record.view.getUint32(16, true);
        count = Number(record.view.getBigUint64(32, true));
        directorySize = Number(record.view.getBigUint64(40, true));
        offset = Number(record.view.getBigUint64(48, true));
        end = record.offset;
      }
    }
    if (disk !== 0) throw new InputError(`${name}: a ZIP archive in several parts is not supported`);
    if (directorySize > MAX_DIRECTORY_BYTES || offset + directorySize > end || count * ENTRY_BYTES > directorySize) {
      throw new InputError(
        `${name}: the ZIP directory claims ${count} entries in ${directorySize} bytes at ${offset}, which does not fit`,
      );
    }
    if (count > MAX_ENTRIES)
      throw new InputError(`${name}: ${count} archive entries are over the limit of ${MAX_ENTRIES}`);
    return { offset, size: directorySize, count };
  }
  throw new InputError(`${name}: the end of the ZIP archive is missing (truncated download?)`);
}

async function readEnd64(source: ByteSource, end: number): Promise<{ view: DataView; offset: number } | undefined> {
  if (end < END64_LOCATOR_BYTES) return undefined;
  const locator = view(await source.read(end - END64_LOCATOR_BYTES, END64_LOCATOR_BYTES));
  if (locator.getUint32(0, true) !== 0x07064b50) return undefined;
  const offset = Number(locator.getBigUint64(8, true));
  if (offset + END64_BYTES > end)
    throw new InputError(`${source.name}: the ZIP64 end record at ${offset} does not fit`);
  const record = view(await source.read(offset, END64_BYTES));
  if (record.getUint32(0, true) !== 0x06064b50) throw new InputError(`${source.name}: the ZIP64 end record is damaged`);
  return { view: record, offset };
}

function parseDirectory(bytes: Uint8Array, place: DirectoryPlace, name: string): Map<string, ZipEntry> {
  const directory = view(bytes);
  const entries = new Map<string, ZipEntry>();
  const decoder = new TextDecoder();
  let at = 0;
  for (let i = 0; i < place.count; i++) {
    if (at + ENTRY_BYTES > bytes.length || directory.getUint32(at, true) !== 0x02014b50) {
      throw new InputError(`${name}: entry ${i} of the ZIP directory is damaged`);
    }
    const nameEnd = at + ENTRY_BYTES + directory.getUint16(at + 28, true);
    const extraEnd = nameEnd + directory.getUint16(at + 30, true);
    const next = extraEnd + directory.getUint16(at + 32, true);
    if (next > bytes.length) throw new InputError(`${name}: entry ${i} of the ZIP directory runs past its end`);
    const entryName = decoder.decode(bytes.subarray(at + ENTRY_BYTES, nameEnd));
    const sizes = readSizes(directory, at, nameEnd, extraEnd);
    const entry = {
      method: directory.getUint16(at + 10, true),
      encrypted: (directory.getUint16(at + 8, true) & 1) === 1,
      ...sizes,
    };
    if (entries.has(entryName)) throw new InputError(`${name}: the archive has two entries ${quoted(entryName)}`);
    entries.set(entryName, entry);
    at = next;
  }
  refuseOverlap(entries, place.offset, name);
  return entries;
}

/** Sizes and offset of an entry. Those that are 0xffffffff are stored in the ZIP64 extra field (id 1), in this order. */
function readSizes(directory: DataView, at: number, extraStart: number, extraEnd: number) {
  let size = directory.getUint32(at + 24, true);
  let compressedSize = directory.getUint32(at + 20, true);
  let headerOffset = directory.getUint32(at + 42, true);
  for (let field = extraStart; field + 4 <= extraEnd; ) {
    const fieldEnd = field + 4 + directory.getUint16(field + 2, true);
    if (directory.getUint16(field, true) === 1 && fieldEnd <= extraEnd) {
      let from = field + 4;
      const wide = (narrow: number): number => {
        if (narrow !== 0xffffffff || from + 8 > fieldEnd) return narrow;
        from += 8;
        return Number(directory.getBigUint64(from - 8, true));
      };
      size = wide(size);
      compressedSize = wide(compressedSize);
      headerOffset = wide(headerOffset);
    }
    field = fieldEnd;
  }
  return { size, compressedSize, headerOffset };
}

/** Refuses impossible sizes and entries that overlap each other (the basis of "better zip bombs") or the directory. */
function refuseOverlap(entries: ReadonlyMap<string, ZipEntry>, directoryOffset: number, name: string): void {
  let previousEnd = 0;
  for (const [entryName, entry] of [...entries].sort(([, a], [, b]) => a.headerOffset - b.headerOffset)) {
    const end = entry.headerOffset + LOCAL_BYTES + entry.compressedSize;
    if (entry.headerOffset < previousEnd || end > directoryOffset) {
      throw new InputError(
        `${name}: archive entry ${quoted(entryName)} overlaps other data (damaged or hostile archive)`,
      );
    }
    const possible = entry.method === STORED ? entry.compressedSize : entry.compressedSize * MAX_DEFLATE_RATIO;
    if (entry.method === STORED ? entry.size !== possible : entry.size > possible) {
      throw new InputError(
        `${name}: archive entry ${quoted(entryName)} claims ${entry.size} bytes from ${entry.compressedSize}, which is impossible`,
      );
    }
    previousEnd = end;
  }
}

/** Offset of an entry's data, after its local header, whose name and extra field may differ in length from the directory's. */
async function dataOffset(source: ByteSource, entry: ZipEntry, what: string): Promise<number> {
  if (entry.encrypted) throw new InputError(`${what} is encrypted`);
  if (entry.method !== STORED && entry.method !== DEFLATED) {
    throw new InputError(`${what} uses compression method ${entry.method}; stored (0) and deflated (8) are supported`);
  }
  const local = view(await source.read(entry.headerOffset, LOCAL_BYTES));
  if (local.getUint32(0, true) !== 0x04034b50) throw new InputError(`${what}: its local header is damaged`);
  return entry.headerOffset + LOCAL_BYTES + local.getUint16(26, true) + local.getUint16(28, true);
}

/** Inflates to exactly `size` bytes, failing as soon as the stream yields more. */
function inflate(compressed: Uint8Array, size: number, what: string): Uint8Array {
  const out = new Uint8Array(size);
  let filled = 0;
  let ended = false;
  const stream = new Inflate((chunk, final) => {
    if (filled + chunk.length > size)
      throw new InputError(`${what}: inflates to more than the ${size} bytes that it claims`);
    out.set(chunk, filled);
    filled += chunk.length;
    ended = final;
  });
  try {
    for (let at = 0; at < compressed.length; at += INFLATE_STEP) {
      const chunk = compressed.subarray(at, at + INFLATE_STEP);
      stream.push(chunk, at + chunk.length === compressed.length);
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${what}: its deflate stream is damaged (${messageOf(error)})`);
  }
  if (!ended || filled !== size) throw new InputError(`${what}: inflates to ${filled} bytes, it claims ${size}`);
  return out;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
