/**
 * Sources of checkpoint bytes (a file, a Blob or memory), read by range and never as a whole.
 *
 * Every reader in this folder works on a `ByteSource`, so the same code opens a 350 MB file in Node (through
 * `src/node/file-source.ts`), a file dropped on a page, and a fixture in a test.
 */
import { InputError, messageOf } from '../../errors.js';

/** Random access to bytes. `name` is a path or file name for error messages. */
export interface ByteSource {
  readonly name: string;
  /** Length in bytes. */
  readonly size: number;
  /** Returns `length` bytes from `offset`, in a new buffer (byteOffset 0) that the caller owns. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A source over bytes in memory, which are copied only when read. */
export function bytesSource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.length,
    read: async (offset, length) => {
      requireRange(name, bytes.length, offset, length);
      return new Uint8Array(bytes.subarray(offset, offset + length));
    },
  };
}

/** A source over a browser's Blob or File; only the slices that are read are loaded. */
export function blobSource(name: string, blob: Blob): ByteSource {
  return {
    name,
    size: blob.size,
    read: async (offset, length) => {
      requireRange(name, blob.size, offset, length);
      let bytes: Uint8Array;
      try {
        bytes = new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
      } catch (error) {
        // Browsers refuse a file that was moved or changed since it was chosen, and a slice that does not fit in memory.
        const reason = messageOf(error);
        throw new InputError(`${name}: cannot be read: ${reason}`);
      }
      if (bytes.length !== length) {
        throw new InputError(`${name}: expected ${length} bytes at offset ${offset}, read ${bytes.length}`);
      }
      return bytes;
    },
  };
}

/** Throws `InputError` unless `[offset, offset + length)` lies within a source of `size` bytes. */
export function requireRange(name: string, size: number, offset: number, length: number): void {
  const valid = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (!valid || offset + length > size) {
    throw new InputError(`${name}: needs bytes ${offset} to ${offset + length}, but the file has ${size} (truncated?)`);
  }
}
