/** The training runs of the Tune tab: queued, each stopped and resumed separately. */
import { useCallback, useRef, useState } from 'preact/hooks';
import type { EpochMetrics, TuningOptions } from '../../../src/ptdpc/index.js';
import type { DataReport, Progress, PromptsReport, TuneAnswer } from '../../protocol.js';
import { lineOf, TaskError } from '../engine-client.js';
import { useEngine } from '../engine-state.js';
import { promptsTitle, tuningTitle } from '../format.js';

export type RunStatus = 'waiting' | 'running' | 'stopped' | 'done' | 'failed';

/** A tuning, or an evaluation of prompts from elsewhere. */
export interface Run {
  readonly id: string;
  /** `official, both`. */
  readonly title: string;
  readonly data: DataReport;
  readonly options: TuningOptions;
  readonly status: RunStatus;
  readonly progress?: Progress;
  /** By epoch. */
  readonly epochs: readonly EpochMetrics[];
  /** Of the validation pictures after the last epoch. */
  readonly confusion: readonly (readonly number[])[] | null;
  /** Once it has ended or was stopped after an epoch. */
  readonly answer?: TuneAnswer;
  /** One line. */
  readonly error?: string;
}

export interface Runs {
  readonly runs: readonly Run[];
  /** True while one runs or waits. */
  readonly busy: boolean;
  tune(data: DataReport, wanted: readonly TuningOptions[]): void;
  resume(id: string): void;
  stop(id: string): void;
  remove(id: string): void;
  /** Adds loaded prompts, evaluated on the held-out pictures. */
  evaluate(data: DataReport, prompts: PromptsReport): Promise<void>;
}

let made = 0;

export function useRuns(): Runs {
  const { engine, addPrompts } = useEngine();
  const [runs, setRuns] = useState<readonly Run[]>([]);
  const last = useRef<Promise<void>>(Promise.resolve());
  const controllers = useRef(new Map<string, AbortController>());
  const change = useCallback(
    (id: string, changed: (run: Run) => Partial<Run>) =>
      setRuns((before) => before.map((run) => (run.id === id ? { ...run, ...changed(run) } : run))),
    [],
  );

  const execute = async (run: Run, { signal }: AbortController): Promise<void> => {
    const { id, data, options } = run;
    if (signal.aborted) return;
    change(id, () => ({ status: 'running' }));
    try {
      const request = { run: id, label: id.replace('run-', 'tuning '), data: data.id, options };
      const answer = await engine.run('tune', request, {
        signal,
        onProgress: (told) =>
          change(id, ({ epochs }) => {
            if (!('epoch' in told)) return { progress: told };
            return { epochs: [...epochs.slice(0, told.epoch.epoch), told.epoch], confusion: told.confusion };
          }),
      });
      change(id, () => ({ answer, status: answer.finished ? 'done' : 'stopped' }));
      addPrompts(answer.prompts);
    } catch (error) {
      const stopped = error instanceof TaskError && error.kind === 'cancelled';
      change(id, () => (stopped ? { status: 'stopped' } : { status: 'failed', error: lineOf(error) ?? 'failed' }));
    } finally {
      controllers.current.delete(id);
    }
  };
  // One after the other on the page's side, so that a prediction asked for meanwhile comes between two of them.
  const enqueue = (run: Run) => {
    const controller = new AbortController();
    controllers.current.set(run.id, controller);
    last.current = last.current.then(() => execute(run, controller));
  };

  return {
    runs,
    busy: runs.some(({ status }) => status === 'running' || status === 'waiting'),
    tune(data, wanted) {
      const added = wanted.map(
        (options): Run => ({
          ...{ id: `run-${++made}`, title: tuningTitle(options), data, options },
          ...{ status: 'waiting', epochs: [], confusion: null },
        }),
      );
      setRuns((before) => [...before, ...added]);
      for (const run of added) enqueue(run);
    },
    resume(id) {
      const run = runs.find((one) => one.id === id);
      if (!run) return;
      change(id, () => ({ status: 'waiting' }));
      enqueue(run);
    },
    stop(id) {
      controllers.current.get(id)?.abort();
      change(id, ({ status }) => (status === 'waiting' ? { status: 'stopped' } : {}));
    },
    remove(id) {
      setRuns((before) => before.filter((run) => run.id !== id));
    },
    async evaluate(data, prompts) {
      const id = `run-${++made}`;
      const { options, epochs } = prompts;
      const title = promptsTitle(prompts);
      const run: Run = {
        id,
        title,
        data,
        options: { ...options, epochs },
        status: 'running',
        epochs: [],
        confusion: null,
      };
      setRuns((before) => [...before, run]);
      try {
        const heldOut = await engine.run('evaluate', { data: data.id, prompts: prompts.id });
        change(id, () => ({ status: 'done', answer: { finished: true, prompts, heldOut } }));
      } catch (error) {
        change(id, () => ({ status: 'failed', error: lineOf(error) ?? 'failed' }));
      }
    },
  };
}
