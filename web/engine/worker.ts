/** The worker's side of the connection: queues tasks, and receives cancellations meanwhile. */
import { InputError } from '../../src/errors.js';
import type { Failure, FromEngine, Progressed, TaskName, Tasks, ToEngine } from '../protocol.js';
import { measureSpans } from './measures.js';
import { TaskQueue } from './queue.js';
import { Session } from './session.js';
import { tasks } from './tasks/index.js';
import type { Context } from './tasks/task.js';

/** What a worker's global object has, of which TypeScript's library for pages knows nothing. */
const scope = globalThis as unknown as {
  postMessage(message: FromEngine): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<ToEngine>) => void): void;
};

measureSpans();

const session = new Session((news) => scope.postMessage(news));
const waiting = new Map<number, AbortController>();
const queue = new TaskQueue();

/** What changes the device or the model, and what trains. */
const ALONE: ReadonlySet<TaskName> = new Set(['open', 'open-model', 'built-in-model', 'tune']);

scope.addEventListener('message', ({ data }) => {
  if ('cancel' in data) {
    waiting.get(data.cancel)?.abort();
    return;
  }
  const controller = new AbortController();
  waiting.set(data.id, controller);
  const { id, task, input } = data;
  const start = () => run(id, task, input, controller.signal);
  // Drawing needs no device, and there is time for it while one is being opened.
  if (task === 'scenes') void start();
  else queue.add({ mayInterrupt: !ALONE.has(task), run: start });
});

async function run(id: number, task: TaskName, input: unknown, signal: AbortSignal): Promise<void> {
  try {
    signal.throwIfAborted();
    // Page and engine are compiled against one list of tasks, so the input is the task's.
    const work = tasks[task] as (input: unknown, context: Context<Progressed>) => Promise<Tasks[TaskName]['output']>;
    const progress = (progress: Progressed) => scope.postMessage({ id, progress });
    const output = await work(input, { session, queue, signal, progress });
    scope.postMessage({ id, output });
  } catch (error) {
    scope.postMessage({ id, failure: failureOf(error, signal) });
  } finally {
    waiting.delete(id);
  }
}

function failureOf(error: unknown, signal: AbortSignal): Failure {
  if (signal.aborted && error === signal.reason) return { kind: 'cancelled', message: 'cancelled' };
  if (error instanceof InputError) return { kind: 'input', message: error.message };
  // The page shows the line; the trace is for debugging.
  console.error(error);
  const message = error instanceof Error ? error.message : String(error);
  return { kind: 'defect', message: message.split('\n')[0]! };
}
