/** A decoding thread (see image-decoders.ts): images' bytes in, what the vision tower takes out. */
import { parentPort, Worker, workerData } from 'node:worker_threads';
import type { Preprocessing, TruncatedImages } from '../clip/image/index.js';
import { decodingBytes } from '../clip/image/size.js';
import { InputError, messageOf } from '../errors.js';
import { listenToSpans, type Span } from '../trace.js';
import { DecodeBudget, LARGE_BYTES } from './decode-budget.js';
import { pixelsFor, type SeenImage } from './image-files.js';

export interface DecodeRequest {
  readonly id: number;
  readonly bytes: Uint8Array;
  /** Names the image in messages. */
  readonly path: string;
  readonly how: Preprocessing;
  readonly truncated: TruncatedImages;
  /** Seed of a random view. */
  readonly view: number | undefined;
  /** What the threads may take together, and which of them this is. */
  readonly budget: SharedArrayBuffer;
  readonly thread: number;
  /** Whether to say when it did what. */
  readonly traced: boolean;
}

export interface DecodeReply {
  readonly id: number;
  /** Pixels [size, size], see `modelPixels`. */
  readonly image?: SeenImage<Int32Array>;
  /** Why there are no pixels. `input`: because of the image, not of this program. */
  readonly error?: { readonly message: string; readonly input: boolean };
  /** What it did, if that was asked for, and from when its times count. */
  readonly spans?: readonly Span[];
  readonly origin?: number;
}

// An image that is alone here: see LARGE_BYTES.
const alone = workerData as DecodeRequest | null;
if (alone) void pixels(alone).then(reply);

// One after the other: an image that waited for memory would keep the one before it from giving its own back.
let last = Promise.resolve();
parentPort?.on('message', (request: DecodeRequest) => {
  last = last.then(() => decode(request));
});

async function decode(request: DecodeRequest): Promise<void> {
  const budget = DecodeBudget.shared(request.budget);
  const bytes = decodingBytes(request.bytes);
  budget.acquire(request.thread, bytes);
  try {
    reply(await (bytes > LARGE_BYTES ? inOwnThread(request) : pixels(request)));
  } finally {
    budget.release(request.thread);
  }
}

function reply(message: DecodeReply): void {
  parentPort?.postMessage(message, message.image ? [message.image.pixels.buffer as ArrayBuffer] : []);
}

async function pixels({ id, bytes, path, how, truncated, view, traced }: DecodeRequest): Promise<DecodeReply> {
  const spans: Span[] = [];
  listenToSpans(traced ? { end: (span) => spans.push(span) } : undefined);
  const traces = traced ? { spans, origin: performance.timeOrigin } : {};
  try {
    return { id, image: await pixelsFor(how, bytes, path, truncated, view), ...traces };
  } catch (error) {
    return { id, ...traces, error: { message: messageOf(error), input: error instanceof InputError } };
  }
}

async function inOwnThread(request: DecodeRequest): Promise<DecodeReply> {
  const worker = new Worker(new URL(import.meta.url), {
    workerData: request,
    transferList: [request.bytes.buffer as ArrayBuffer],
  });
  try {
    return await new Promise<DecodeReply>((resolve, reject) => {
      worker.once('message', resolve).once('error', reject);
    });
  } catch (error) {
    return { id: request.id, error: { message: messageOf(error), input: false } };
  } finally {
    await worker.terminate();
  }
}
