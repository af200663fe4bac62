/** A decoding thread (see image-decoders.ts): images' bytes in, what the vision tower takes out. */
import { parentPort } from 'node:worker_threads';
import type { PixelStatistics } from '../clip/image/index.js';
import { InputError } from '../errors.js';
import { pixelsFor } from './image-files.js';

export interface DecodeRequest {
  readonly id: number;
  readonly bytes: Uint8Array;
  /** Names the image in messages. */
  readonly path: string;
  /** Side of the square in pixels. */
  readonly size: number;
  readonly kind: PixelStatistics;
}

export interface DecodeReply {
  readonly id: number;
  /** [3, size, size] */
  readonly pixels?: Float32Array;
  /** Why there are none. `input`: the image is to blame, not this program. */
  readonly error?: { readonly message: string; readonly input: boolean };
}

parentPort?.on('message', async ({ id, bytes, path, size, kind }: DecodeRequest) => {
  const reply = (message: DecodeReply, transfer: ArrayBuffer[] = []) => parentPort?.postMessage(message, transfer);
  try {
    const pixels = await pixelsFor(kind, bytes, path, size);
    reply({ id, pixels }, [pixels.buffer as ArrayBuffer]);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    reply({ id, error: { message, input: error instanceof InputError } });
  }
});
