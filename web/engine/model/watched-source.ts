/** Reading with an ear for how much was read, and an end to it. */
import type { ByteSource } from '../../../src/clip/checkpoint/index.js';

/** May change between two reads. */
export interface Watched {
  /** Called with the number of bytes read. */
  onRead?: ((bytes: number) => void) | undefined;
  /** Ends reading: a read rejects with its reason. */
  signal?: AbortSignal | undefined;
}

export function watchedSource(source: ByteSource, watched: Watched): ByteSource {
  return {
    ...source,
    async read(offset, length) {
      watched.signal?.throwIfAborted();
      const bytes = await source.read(offset, length);
      watched.onRead?.(length);
      return bytes;
    },
  };
}
