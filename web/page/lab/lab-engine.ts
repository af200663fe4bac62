/**
 * The laboratory's own engine: a second worker, so that a trial neither waits for a tuning nor holds one up. What hangs in it, a kernel
 * without end for one, goes with it.
 */
import type { TaskName, Tasks } from '../../protocol.js';
import { EngineClient, TaskError, type Watch } from '../engine-client.js';

/** So long a cancelled task may take to end by itself. */
const PATIENCE_MILLISECONDS = 2000;

/** A trial tells every step, and the longest takes seconds, even on a software adapter. Without a word for so long, the user's kernel does not end. */
const SILENCE_MILLISECONDS = 60_000;

const NO_ANSWER =
  `no answer from the device for ${SILENCE_MILLISECONDS / 1000} seconds, and the run was stopped: a loop in the kernel may not end. Bound it and ` +
  'run again, which opens the device anew. A driver ends such a kernel by itself; where the page is not drawn or runs fail until then, ' +
  'start the browser again: the text is kept';

export class LabEngine {
  #client: EngineClient | undefined;

  /** Gives the engine a task. Rejects with a TaskError. */
  async run<K extends TaskName>(task: K, input: Tasks[K]['input'], watch: Watch<K> = {}): Promise<Tasks[K]['output']> {
    this.#client ??= new EngineClient();
    const client = this.#client;
    const { signal } = watch;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let silent = false;
    const stopAfter = (milliseconds: number, onStop?: () => void) => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        onStop?.();
        client.stop();
        if (this.#client === client) this.#client = undefined;
      }, milliseconds);
    };
    const waitForNews = () => {
      if (signal?.aborted) return;
      stopAfter(SILENCE_MILLISECONDS, () => {
        silent = true;
      });
    };
    const onAbort = () => stopAfter(PATIENCE_MILLISECONDS);
    const isTrial = task === 'lab-try' || task === 'lab-check';
    const onProgress = (told: Tasks[K]['progress']) => {
      if (isTrial) waitForNews();
      watch.onProgress?.(told);
    };
    signal?.addEventListener('abort', onAbort);
    if (isTrial) waitForNews();
    try {
      return await client.run(task, input, { signal, onProgress });
    } catch (error) {
      throw silent ? new TaskError('input', NO_ANSWER) : error;
    } finally {
      // The signal of what is done may be aborted later on, when something else runs.
      signal?.removeEventListener('abort', onAbort);
      clearTimeout(timer);
    }
  }
}
