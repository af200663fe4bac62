/** What a task is given beside its input. */
import type { TaskName, Tasks } from '../../protocol.js';
import type { TaskQueue } from '../queue.js';
import type { Session } from '../session.js';

export interface Context<Told> {
  readonly session: Session;
  /** Where other tasks wait, which a long one may let in. */
  readonly queue: TaskQueue;
  /** Aborted when nobody waits for the answer any more; then the task rejects with its reason. */
  readonly signal: AbortSignal;
  readonly progress: (told: Told) => void;
}

/** The code of a task. */
export type Work<K extends TaskName> = (
  input: Tasks[K]['input'],
  context: Context<Tasks[K]['progress']>,
) => Promise<Tasks[K]['output']>;

/** Lets messages in, a cancellation among them: what computes on this thread never waits for one by itself. */
export async function letMessagesIn(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
  signal.throwIfAborted();
}
