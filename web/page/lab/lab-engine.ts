/**
 * The laboratory's own engine: a second worker, so that a trial neither waits for a tuning nor holds one up. What hangs in it, a kernel
 * without end for one, goes with it.
 */
import type { TaskName, Tasks } from '../../protocol.js';
import { EngineClient, type Watch } from '../engine-client.js';

/** So long a cancelled task may take to end by itself. */
const PATIENCE_MILLISECONDS = 2000;

export class LabEngine {
  #client: EngineClient | undefined;

  /** Gives the engine a task. Rejects with a TaskError. */
  async run<K extends TaskName>(task: K, input: Tasks[K]['input'], watch: Watch<K> = {}): Promise<Tasks[K]['output']> {
    this.#client ??= new EngineClient();
    const client = this.#client;
    const { signal } = watch;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const onAbort = () => {
      timer = setTimeout(() => {
        client.stop();
        if (this.#client === client) this.#client = undefined;
      }, PATIENCE_MILLISECONDS);
    };
    signal?.addEventListener('abort', onAbort);
    try {
      return await client.run(task, input, watch);
    } finally {
      // The signal of what is done may be aborted later on, when something else runs.
      signal?.removeEventListener('abort', onAbort);
      clearTimeout(timer);
    }
  }
}
