/** A decoding thread (see image-decoders.ts): images' bytes in, what the vision tower takes out. */
import { parentPort } from 'node:worker_threads';
import type { Preprocessing } from '../clip/image/index.js';
import { InputError, messageOf } from '../errors.js';
import { pixelsFor } from './image-files.js';

export interface DecodeRequest {
  readonly id: number;
  readonly bytes: Uint8Array;
  /** Names the image in messages. */
  readonly path: string;
  readonly how: Preprocessing;
}

export interface DecodeReply {
  readonly id: number;
  /** [3, size, size] */
  readonly pixels?: Float32Array;
  /** Why there are none. `input`: the image is to blame, not this program. */
  readonly error?: { readonly message: string; readonly input: boolean };
}

parentPort?.on('message', async ({ id, bytes, path, how }: DecodeRequest) => {
  const reply = (message: DecodeReply, transfer: ArrayBuffer[] = []) => parentPort?.postMessage(message, transfer);
  try {
    const pixels = await pixelsFor(how, bytes, path);
    reply({ id, pixels }, [pixels.buffer as ArrayBuffer]);
  } catch (error) {
    const message = messageOf(error);
    reply({ id, error: { message, input: error instanceof InputError } });
  }
});
