/** A task's progress with a button to stop it, or why it failed. */
import type { RunningTask } from './use-task.js';

interface TaskLineProps {
  readonly task: RunningTask;
  readonly idle?: string;
  /** Whether the button that stops it is somewhere else. */
  readonly stopElsewhere?: boolean;
}

export function TaskLine({ task, idle, stopElsewhere = false }: TaskLineProps) {
  const { running, progress, error, cancel } = task;
  return (
    <div class="task-line">
      {/* Announced by stages: a figure that changes many times a second is for the eye. */}
      <p role="status" class={running ? '' : 'muted'}>
        {running ? (progress?.what ?? 'waiting for the engine') : (idle ?? '')}
      </p>
      {running && (
        <>
          <progress aria-label={progress?.what ?? 'progress'} value={progress?.done} max={progress?.total} />
          {!stopElsewhere && (
            <button type="button" class="quiet" onClick={cancel}>
              Stop
            </button>
          )}
        </>
      )}
      {error !== null && (
        <p role="alert" class="error">
          {error}
        </p>
      )}
    </div>
  );
}
