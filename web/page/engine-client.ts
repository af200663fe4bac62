/** The page's side of the engine worker: a task is a promise. */
import workerUrl from '../engine/worker.ts?worker&url';
import type { Failure, FromEngine, TaskName, Tasks, ToEngine } from '../protocol.js';
import { ownScript } from '../trusted.js';

/** What a task was refused for, or failed with: one line. */
export class TaskError extends Error {
  override readonly name = 'TaskError';

  constructor(
    readonly kind: Failure['kind'] | 'crash',
    message: string,
  ) {
    super(message);
  }
}

/** How a task is watched. */
export interface Watch<K extends TaskName> {
  /** Ends the task; the promise then rejects with a TaskError of kind `cancelled`. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (told: Tasks[K]['progress']) => void;
}

interface Pending {
  resolve(output: never): void;
  reject(error: TaskError): void;
  onProgress?(told: never): void;
}

/** News that belongs to no task. */
export type EngineNews = Extract<FromEngine, { notice: string } | { device: unknown }>;

export class EngineClient {
  /** Called with news that concerns no single task. */
  onNews: (news: EngineNews) => void = () => {};
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #crashed: TaskError | undefined;

  constructor() {
    this.#worker = new Worker(ownScript(workerUrl), { type: 'module', name: 'engine' });
    this.#worker.addEventListener('message', ({ data }: MessageEvent<FromEngine>) => this.#hear(data));
    this.#worker.addEventListener('error', (event) => {
      event.preventDefault();
      this.#crash(event.message || 'its file could not be loaded');
    });
  }

  /** Gives the engine a task; it does them one after the other. Rejects with a TaskError. */
  run<K extends TaskName>(task: K, input: Tasks[K]['input'], watch: Watch<K> = {}): Promise<Tasks[K]['output']> {
    const { signal, onProgress } = watch;
    if (this.#crashed) return Promise.reject(this.#crashed);
    if (signal?.aborted) return Promise.reject(new TaskError('cancelled', 'cancelled'));
    const id = ++this.#lastId;
    signal?.addEventListener('abort', () => this.#post({ cancel: id }), { once: true });
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, ...(onProgress && { onProgress }) } as Pending);
      this.#post({ id, task, input } as ToEngine);
    });
  }

  /** Ends the worker and all its tasks: pending calls are rejected as cancelled. */
  stop(): void {
    this.#worker.terminate();
    for (const { reject } of this.#pending.values()) reject(new TaskError('cancelled', 'cancelled'));
    this.#pending.clear();
  }

  #post(message: ToEngine): void {
    this.#worker.postMessage(message);
  }

  #hear(message: FromEngine): void {
    if ('notice' in message || 'device' in message) {
      this.onNews(message);
      return;
    }
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    if ('progress' in message) {
      pending.onProgress?.(message.progress as never);
      return;
    }
    this.#pending.delete(message.id);
    if ('output' in message) pending.resolve(message.output as never);
    else pending.reject(new TaskError(message.failure.kind, message.failure.message));
  }

  /** The worker itself failed, and nothing that waits for it will ever be answered. */
  #crash(reason: string): void {
    this.#crashed = new TaskError('crash', `the engine stopped (${reason}); load the page again`);
    for (const { reject } of this.#pending.values()) reject(this.#crashed);
    this.#pending.clear();
  }
}

/** The line for people, or null if there is nothing to say: they cancelled it themselves. */
export function lineOf(error: unknown): string | null {
  if (!(error instanceof TaskError)) return `internal error: ${error instanceof Error ? error.message : String(error)}`;
  if (error.kind === 'cancelled') return null;
  return error.kind === 'input' ? error.message : `internal error: ${error.message}`;
}
