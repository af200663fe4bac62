/** A decoding thread (see image-decoders.ts): images' bytes in, what the vision tower takes out. */
import { parentPort } from 'node:worker_threads';
import type { Preprocessing, TruncatedImages } from '../clip/image/index.js';
import { decodingBytes } from '../clip/image/size.js';
import { InputError, messageOf } from '../errors.js';
import { DecodeBudget } from './decode-budget.js';
import { pixelsFor, type SeenImage } from './image-files.js';

export interface DecodeRequest {
  readonly id: number;
  readonly bytes: Uint8Array;
  /** Names the image in messages. */
  readonly path: string;
  readonly how: Preprocessing;
  readonly truncated: TruncatedImages;
  /** What the threads may take together, and which of them this is. */
  readonly budget: SharedArrayBuffer;
  readonly thread: number;
}

export interface DecodeReply {
  readonly id: number;
  /** Pixels [3, size, size]. */
  readonly image?: SeenImage<Float32Array>;
  /** Why there are no pixels. `input`: because of the image, not of this program. */
  readonly error?: { readonly message: string; readonly input: boolean };
}

// One after the other: an image that waited for memory would keep the one before it from giving its own back.
let last = Promise.resolve();
parentPort?.on('message', (request: DecodeRequest) => {
  last = last.then(() => decode(request));
});

async function decode({ id, bytes, path, how, truncated, budget: memory, thread }: DecodeRequest): Promise<void> {
  const budget = DecodeBudget.shared(memory);
  const reply = (message: DecodeReply, transfer: ArrayBuffer[] = []) => parentPort?.postMessage(message, transfer);
  budget.acquire(thread, decodingBytes(bytes));
  try {
    const image = await pixelsFor(how, bytes, path, truncated);
    reply({ id, image }, [image.pixels.buffer as ArrayBuffer]);
  } catch (error) {
    const message = messageOf(error);
    reply({ id, error: { message, input: error instanceof InputError } });
  } finally {
    budget.release(thread);
  }
}
