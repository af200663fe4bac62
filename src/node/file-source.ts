/** Random access to files on disk, for checkpoint readers that do not depend on Node. */
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { ByteSource } from '../clip/checkpoint/byte-source.js';
import { requireRange } from '../clip/checkpoint/byte-source.js';
import { InputError } from '../errors.js';
import { explained, kindOfFile, naming } from './system-error.js';

/** A `ByteSource` over an open file. Close it, or declare it with `await using`. */
export interface FileSource extends ByteSource, AsyncDisposable {
  close(): Promise<void>;
}

/** Node refuses single reads of 2 GiB or more. */
const MAX_READ_BYTES = 2 ** 30;

/** Opens a file for reading by range. Throws InputError naming `path` if it is not a readable file. */
export async function openFileSource(path: string): Promise<FileSource> {
  const file = await naming(path, 'cannot be opened', async () => {
    // Checked before opening: opening a pipe would wait for a writer.
    const status = await stat(path);
    if (!status.isFile()) throw new InputError(`${path}: expected a file, found ${kindOfFile(status)}`);
    return open(path, 'r');
  });
  try {
    const { size } = await file.stat();
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
    throw new InputError(`${path}: cannot be read at byte ${position} (${explained(error)})`);
  }
}
