/** A decoding thread (see image-decoders.ts): images' bytes in, what the vision tower takes out. */
import { parentPort } from 'node:worker_threads';
import type { Preprocessing, TruncatedImages } from '../clip/image/index.js';
import { InputError, messageOf } from '../errors.js';
import { pixelsFor, type SeenImage } from './image-files.js';

export interface DecodeRequest {
  readonly id: number;
  readonly bytes: Uint8Array;
  /** Names the image in messages. */
  readonly path: string;
  readonly how: Preprocessing;
  readonly truncated: TruncatedImages;
}

export interface DecodeReply {
  readonly id: number;
  /** Pixels [3, size, size]. */
  readonly image?: SeenImage<Float32Array>;
  /** Why there are no pixels. `input`: because of the image, not of this program. */
  readonly error?: { readonly message: string; readonly input: boolean };
}

parentPort?.on('message', async ({ id, bytes, path, how, truncated }: DecodeRequest) => {
  const reply = (message: DecodeReply, transfer: ArrayBuffer[] = []) => parentPort?.postMessage(message, transfer);
  try {
    const image = await pixelsFor(how, bytes, path, truncated);
    reply({ id, image }, [image.pixels.buffer as ArrayBuffer]);
  } catch (error) {
    const message = messageOf(error);
    reply({ id, error: { message, input: error instanceof InputError } });
  }
});
