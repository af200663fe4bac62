/**
 * Decoding on worker threads, so that images are decoded while the tower computes the ones before. On the CPU backend the main
 * thread is the tower's and answers no messages meanwhile: what is to be decoded must have been handed over before.
 */
import { Worker } from 'node:worker_threads';
import type { Preprocessing, TruncatedImages } from '../clip/image/index.js';
import { decodingBytes } from '../clip/image/size.js';
import { InputError } from '../errors.js';
import { isTraced, passOn } from '../trace.js';
import { DECODING_BYTES, DecodeBudget, LARGE_BYTES } from './decode-budget.js';
import { pixelsFor, type SeenImage } from './image-files.js';
import type { DecodeReply, DecodeRequest } from './image-worker.js';
import { workerFile } from './package.js';
import { hardwareThreads } from './wasm-threads.js';

/** Threads that die are replaced; so many have places of their own, for each that runs. */
const MOST_STARTED = 4;

interface Task {
  resolve(image: SeenImage<Int32Array>): void;
  reject(error: Error): void;
}

interface Thread {
  readonly worker: Worker;
  /** By id, what it has been given and not answered. */
  readonly tasks: Map<number, Task>;
  /** Its place in the budget. */
  readonly place: number;
}

export class ImageDecoders implements Disposable {
  readonly #threads: Thread[] = [];
  readonly #most: number;
  readonly #places: number;
  readonly #budget: DecodeBudget;
  #lastId = 0;
  #started = 0;

  /**
   * Up to `threads` threads, started as they are needed. With 0, this thread decodes all but large images, and all if none can be started.
   * `bytes`: of the images that the threads decode at a time.
   */
  constructor(threads: number, bytes = DECODING_BYTES) {
    this.#most = threads;
    this.#places = MOST_STARTED * Math.max(threads, hardwareThreads());
    this.#budget = DecodeBudget.create(this.#places, bytes);
  }

  /** The most bytes that images took in the threads at a time. */
  get peakBytes(): number {
    return this.#budget.peakBytes;
  }

  /** Threads running now. */
  get threads(): number {
    return this.#threads.length;
  }

  /**
   * The pixels [size, size] (see `modelPixels`) of an image whose file holds `bytes`, which it takes over. `truncated`: what becomes of files that are cut
   * short. `view`: the seed of a random view. Rejects with an InputError that names `path` for what cannot be decoded.
   */
  decode(
    bytes: Uint8Array,
    path: string,
    how: Preprocessing,
    truncated: TruncatedImages = 'skip',
    view?: number,
  ): Promise<SeenImage<Int32Array>> {
    const thread = this.#leastBusy(decodingBytes(bytes) > LARGE_BYTES);
    if (!thread) return pixelsFor(how, bytes, path, truncated, view);
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      thread.tasks.set(id, { resolve, reject });
      const budget = this.#budget.memory;
      const request: DecodeRequest = {
        id,
        bytes,
        path,
        how,
        truncated,
        view,
        budget,
        thread: thread.place,
        traced: isTraced(),
      };
      thread.worker.postMessage(request, ownsItsBuffer(bytes) ? [bytes.buffer] : []);
    });
  }

  /** Idle threads are kept for a while for the next caller; pending work of the others is dropped. */
  [Symbol.dispose](): void {
    for (const { worker, tasks } of this.#threads.splice(0)) {
      forgetListeners(worker);
      if (tasks.size === 0) keepIdle(worker);
      else void worker.terminate();
    }
  }

  /** An idle thread, a new one while there may be more, or the one with the fewest images. */
  #leastBusy(large: boolean): Thread | undefined {
    const most = !workerFile('image-worker') ? 0 : large ? Math.max(this.#most, hardwareThreads()) : this.#most;
    const busy = [...this.#threads].sort((a, b) => a.tasks.size - b.tasks.size);
    if (busy[0]?.tasks.size === 0 || this.#threads.length >= most) return busy[0];
    return this.#start();
  }

  #start(): Thread {
    // A thread that has died has given back what it held, so its place can be another's.
    const place = this.#started++ % this.#places;
    const thread: Thread = { worker: idleWorker() ?? new Worker(workerFile('image-worker')!), tasks: new Map(), place };
    const { worker, tasks } = thread;
    worker.on('message', ({ id, image, error, spans = [], origin = 0 }: DecodeReply) => {
      passOn(spans, origin, `decoder ${place + 1}`);
      const task = tasks.get(id);
      tasks.delete(id);
      if (image) task?.resolve(image);
      else task?.reject(error?.input ? new InputError(error.message) : new Error(error?.message));
    });
    // A thread that dies (out of memory, above all) takes its images with it.
    worker.on('error', (error) => {
      this.#budget.release(place);
      for (const task of tasks.values()) task.reject(error);
      tasks.clear();
      this.#threads.splice(this.#threads.indexOf(thread), 1);
    });
    this.#threads.push(thread);
    return thread;
  }
}

/**
 * Idle threads. A program that encodes split after split starts them only once, which saves a tenth of a second and about
 * twenty KiB that Node keeps of every thread that has ended.
 */
const idle: Worker[] = [];
/** How long idle threads are kept, after the last one became idle. */
const IDLE_MILLISECONDS = 10_000;
let closing: NodeJS.Timeout | undefined;

function keepIdle(worker: Worker): void {
  idle.push(worker);
  worker.on('error', () => {
    idle.splice(idle.indexOf(worker), 1);
  });
  // Neither keeps the process alive.
  worker.unref();
  closing ??= setTimeout(closeIdle, IDLE_MILLISECONDS).unref();
  closing.refresh();
}

function idleWorker(): Worker | undefined {
  const worker = idle.pop();
  if (!worker) return undefined;
  forgetListeners(worker);
  worker.ref();
  return worker;
}

/** Only of the events used here: Node needs its own listeners on a worker. */
function forgetListeners(worker: Worker): void {
  worker.removeAllListeners('message').removeAllListeners('error');
}

function closeIdle(): void {
  for (const worker of idle.splice(0)) void worker.terminate();
}

/** A small file may lie in memory that Node shares among several. */
function ownsItsBuffer(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength;
}
