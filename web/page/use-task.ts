/** One task of a component at a time: how far it is, how it failed, and its end when another begins or the component goes. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { Progress } from '../protocol.js';
import { lineOf } from './engine-client.js';

export interface RunningTask {
  readonly running: boolean;
  readonly progress: Progress | undefined;
  /** One line, or null. */
  readonly error: string | null;
  /** Runs `body` in place of what ran before. Undefined if it failed or was cancelled; `error` says why. */
  run<T>(body: (watch: TaskWatch) => Promise<T>): Promise<T | undefined>;
  cancel(): void;
  /** Shows a line that is no task's, or takes it away. */
  setError(line: string | null): void;
}

export interface TaskWatch {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

export function useTask(): RunningTask {
  const current = useRef<AbortController>();
  const [running, setRunning] = useState(false);
  const [progress, setProgress] = useState<Progress>();
  const [error, setError] = useState<string | null>(null);

  const cancel = useCallback(() => current.current?.abort(), []);
  useEffect(() => cancel, [cancel]);
  const run = useCallback(async <T>(body: (watch: TaskWatch) => Promise<T>): Promise<T | undefined> => {
    current.current?.abort();
    const controller = new AbortController();
    current.current = controller;
    setRunning(true);
    setProgress(undefined);
    setError(null);
    const isCurrent = () => current.current === controller;
    try {
      const output = await body({
        signal: controller.signal,
        onProgress: (told) => {
          if (isCurrent()) setProgress(told);
        },
      });
      return controller.signal.aborted ? undefined : output;
    } catch (failure) {
      if (isCurrent()) setError(lineOf(failure));
      return undefined;
    } finally {
      if (isCurrent()) {
        setRunning(false);
        setProgress(undefined);
      }
    }
  }, []);
  return { running, progress, error, run, cancel, setError };
}
