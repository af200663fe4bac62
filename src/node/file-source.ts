/** Random access to a file on disk for the checkpoint readers, which know nothing of Node. */
import { type FileHandle, open } from 'node:fs/promises';
import type { ByteSource } from '../clip/checkpoint/byte-source.js';
import { requireRange } from '../clip/checkpoint/byte-source.js';
import { InputError } from '../errors.js';

/** A `ByteSource` over an open file. Close it, or let `await using` do so. */
export interface FileSource extends ByteSource, AsyncDisposable {
  close(): Promise<void>;
}

/** Node refuses a single read of 2 GiB or more. */
const MAX_READ_BYTES = 2 ** 30;

/** Opens a file for reading by range. Throws `InputError` naming `path` when there is no such file to read. */
export async function openFileSource(path: string): Promise<FileSource> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    throw new InputError(`${path}: cannot be opened (${errorCode(error)})`);
  }
  try {
    const status = await file.stat();
    if (!status.isFile()) throw new InputError(`${path}: expected a file, found something else (a folder?)`);
    const { size } = status;
    const close = () => file.close();
    return { name: path, size, read: readFrom(file, path, size), close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function readFrom(file: FileHandle, path: string, size: number): ByteSource['read'] {
  return async (offset, length) => {
    requireRange(path, size, offset, length);
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const { bytesRead } = await readChunk(file, path, bytes, done, offset + done);
      if (bytesRead === 0)
        throw new InputError(`${path}: ended after ${offset + done} bytes, it had ${size} when opened`);
      done += bytesRead;
    }
    return bytes;
  };
}

async function readChunk(file: FileHandle, path: string, bytes: Uint8Array, start: number, position: number) {
  try {
    return await file.read(bytes, start, Math.min(bytes.length - start, MAX_READ_BYTES), position);
  } catch (error) {
    throw new InputError(`${path}: cannot be read at byte ${position} (${errorCode(error)})`);
  }
}

/** Node's short code, e.g. ENOENT, or the message where there is none. */
function errorCode(error: unknown): string {
  if (error instanceof Error) return 'code' in error ? String(error.code) : error.message;
  return String(error);
}
