/** The training runs of the Tune tab: queued, each steered, stopped and resumed separately, and kept over a reload. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { isPtDpc, type PromptOptions } from '../../../src/learners/prompts/index.js';
import type { EpochMetrics, TuningOptions } from '../../../src/ptdpc/index.js';
import type {
  DataReport,
  Progress,
  PromptsReport,
  Stage,
  Steer,
  TuneAnswer,
  TuneTold,
  ZeroShotTold,
} from '../../protocol.js';
import { lineOf, TaskError } from '../engine-client.js';
import { useEngine } from '../engine-state.js';
import { promptsTitle } from '../format.js';
import { runNames } from './run-names.js';
import { forgetRun, forgetRuns, keepRun, keptRuns } from './run-store.js';

/** `interrupted`: the page was closed before it had ended, and the engine knows nothing of it any more. */
export type RunStatus = 'waiting' | 'running' | 'stopped' | 'interrupted' | 'done' | 'failed';

/** A tuning, or an evaluation of prompts from elsewhere. */
export interface Run {
  readonly id: string;
  /** Place among all runs that there have been. */
  readonly place: number;
  /** Of an evaluation; a tuning is named by what differs. */
  readonly ownTitle?: string;
  readonly data: DataReport;
  /** A tuning's are PT-DPC's. */
  readonly options: PromptOptions;
  readonly status: RunStatus;
  readonly progress?: Progress;
  /** By epoch. */
  readonly epochs: readonly EpochMetrics[];
  /** Of the validation pictures after the last epoch. */
  readonly confusion: readonly (readonly number[])[] | null;
  readonly zeroShot?: ZeroShotTold['zeroShot'];
  readonly stage?: Stage;
  /** Answers before the latest step or epoch. */
  readonly answersBefore?: readonly number[];
  /** Once it has ended or was stopped after an epoch. */
  readonly answer?: TuneAnswer;
  /** One line. */
  readonly error?: string;
}

/** A run with its name. */
export interface TitledRun extends Run {
  readonly title: string;
}

export interface Runs {
  readonly runs: readonly TitledRun[];
  /** Why runs are not kept over a reload; null if they are. */
  readonly notKept: string | null;
  /** Queues a run for each of these options; the first goes as far as `how` says, the others to their end. */
  tune(data: DataReport, wanted: readonly TuningOptions[], how: Steer): void;
  steer(id: string, how: Steer): void;
  resume(id: string): void;
  stop(id: string): void;
  remove(id: string): void;
  /** Removes all that do not run. */
  forget(): void;
  /** Adds loaded prompts, evaluated on the held-out pictures. */
  evaluate(data: DataReport, prompts: PromptsReport): Promise<void>;
}

/** Kept runs have ids of other visits. */
const VISIT = Date.now().toString(36);

export const isGoing = ({ status }: Pick<Run, 'status'>): boolean => status === 'running' || status === 'waiting';

/** True of a run that does worse than no tuning: on the held-out pictures, or before those were looked at, on the validation pictures. */
export function isWorse({ answer, epochs, zeroShot }: Run): boolean {
  if (answer?.heldOut) return answer.heldOut.tuned.accuracy < answer.heldOut.zeroShot.accuracy;
  const now = epochs.at(-1)?.valAccuracy ?? null;
  return now !== null && zeroShot?.accuracy !== undefined && zeroShot.accuracy !== null && now < zeroShot.accuracy;
}

export function useRuns(): Runs {
  const { engine, addPrompts } = useEngine();
  const [runs, setRuns] = useState<readonly Run[]>([]);
  const [notKept, setNotKept] = useState<string | null>(null);
  const last = useRef<Promise<void>>(Promise.resolve());
  const controllers = useRef(new Map<string, AbortController>());
  const made = useRef(0);
  const change = useCallback(
    (id: string, changed: (run: Run) => Partial<Run>) =>
      setRuns((before) => before.map((run) => (run.id === id ? { ...run, ...changed(run) } : run))),
    [],
  );
  useRestored(runs, setRuns, made, setNotKept);
  useKept(runs, setNotKept);

  const execute = async (run: Run, { signal }: AbortController, how: Steer): Promise<void> => {
    const { id, data, options, place } = run;
    // What was only evaluated is never queued.
    if (signal.aborted || !isPtDpc(options)) return;
    change(id, () => ({ status: 'running' }));
    try {
      const request = { run: id, label: `tuning ${place}`, data: data.id, options, how };
      const onProgress = (told: TuneTold) => change(id, (before) => heard(before, told));
      const answer = await engine.run('tune', request, { signal, onProgress });
      change(id, () => ({ answer, status: answer.finished ? 'done' : 'stopped' }));
      addPrompts(answer.prompts);
    } catch (error) {
      const stopped = error instanceof TaskError && error.kind === 'cancelled';
      change(id, () => (stopped ? { status: 'stopped' } : { status: 'failed', error: lineOf(error) ?? 'failed' }));
    } finally {
      controllers.current.delete(id);
    }
  };
  // One after the other on the page's side: each can be withdrawn until it begins.
  const enqueue = (run: Run, how: Steer) => {
    const controller = new AbortController();
    controllers.current.set(run.id, controller);
    last.current = last.current.then(() => execute(run, controller, how));
  };
  const madeRun = (data: DataReport, options: PromptOptions, status: RunStatus): Run => {
    const place = ++made.current;
    return { id: `run-${VISIT}-${place}`, place, data, options, status, epochs: [], confusion: null };
  };

  const titled = useMemo(() => {
    const tunings = runs.flatMap(({ id, ownTitle, options, data }) =>
      ownTitle === undefined && isPtDpc(options) ? [{ id, options, pictures: data.name }] : [],
    );
    const names = new Map(runNames(tunings).map((name, i) => [tunings[i]!.id, name]));
    return runs.map((run): TitledRun => ({ ...run, title: run.ownTitle ?? names.get(run.id)! }));
  }, [runs]);
  return {
    runs: titled,
    notKept,
    tune(data, wanted, how) {
      const added = wanted.map((options) => madeRun(data, options, 'waiting'));
      setRuns((before) => [...before, ...added]);
      for (const [i, run] of added.entries()) enqueue(run, i === 0 ? how : 'play');
    },
    steer(id, how) {
      // What it answers is what the tuning tells next.
      void engine.run('steer', { run: id, how });
      if (how === 'play') change(id, ({ stage }) => (stage ? { stage: { ...stage, paused: false } } : {}));
    },
    resume(id) {
      const run = runs.find((one) => one.id === id);
      if (!run) return;
      change(id, () => ({ status: 'waiting' }));
      enqueue(run, 'play');
    },
    stop(id) {
      controllers.current.get(id)?.abort();
      change(id, ({ status }) => (status === 'waiting' ? { status: 'stopped' } : {}));
    },
    remove(id) {
      setRuns((before) => before.filter((run) => run.id !== id));
      forgetRun(id).catch(() => {});
    },
    forget() {
      setRuns((before) => before.filter(isGoing));
      forgetRuns().catch(() => {});
    },
    async evaluate(data, prompts) {
      const { options, epochs } = prompts;
      const evaluated = madeRun(data, { ...options, epochs }, 'running');
      const { id } = evaluated;
      setRuns((before) => [...before, { ...evaluated, ownTitle: promptsTitle(prompts) }]);
      try {
        const heldOut = await engine.run('evaluate', { data: data.id, prompts: prompts.id });
        change(id, () => ({ status: 'done', answer: { finished: true, prompts, heldOut } }));
      } catch (error) {
        change(id, () => ({ status: 'failed', error: lineOf(error) ?? 'failed' }));
      }
    },
  };
}

function heard({ epochs, stage }: Run, told: TuneTold): Partial<Run> {
  if ('epoch' in told) return { epochs: [...epochs.slice(0, told.epoch.epoch), told.epoch], confusion: told.confusion };
  if ('zeroShot' in told) return { zeroShot: told.zeroShot };
  if (!('stage' in told)) return { progress: told };
  const next = told.stage;
  // What tokens are near is not looked for at every step.
  const words = next.tokens.words ?? stage?.tokens.words ?? null;
  const moved = stage !== undefined && stage.steps !== next.steps;
  return {
    stage: { ...next, tokens: { ...next.tokens, words } },
    ...(moved && { answersBefore: stage.answers }),
  };
}

/** Brings back the runs of earlier visits; their prompts go to the engine if they are of its model. */
function useRestored(
  runs: readonly Run[],
  setRuns: (change: (before: readonly Run[]) => readonly Run[]) => void,
  made: { current: number },
  setNotKept: (why: string) => void,
): void {
  const { engine, opened, addPrompts } = useEngine();
  const files = useRef(new Map<string, Uint8Array<ArrayBuffer>>());
  useEffect(() => {
    keptRuns().then(
      (kept) => {
        made.current += kept.reduce((most, { place }) => Math.max(most, place), 0);
        for (const { id, prompts } of kept) if (prompts) files.current.set(id, prompts);
        const status = (run: Run): RunStatus =>
          run.status === 'done' || run.status === 'failed' ? run.status : 'interrupted';
        const restored = kept.map(({ run }) => ({ ...run, status: status(run) }));
        setRuns((before) => [...restored, ...before]);
      },
      (error: unknown) => setNotKept(whyNotKept(error)),
    );
  }, [setRuns, made, setNotKept]);
  const hash = opened?.model.hash;
  useEffect(() => {
    for (const { id, answer, place } of runs) {
      const bytes = files.current.get(id);
      if (!bytes || !answer || answer.prompts.modelHash !== hash) continue;
      files.current.delete(id);
      const file = new File([bytes], `tuning ${place}`);
      engine.run('importPrompts', { file }).then(
        (prompts) => {
          addPrompts(prompts);
          setRuns((before) => before.map((run) => (run.id === id ? { ...run, answer: { ...answer, prompts } } : run)));
        },
        (error: unknown) => setNotKept(`tuning ${place}: its prompts cannot be restored: ${lineOf(error)}`),
      );
    }
  }, [runs, hash, engine, addPrompts, setRuns, setNotKept]);
}

/** Keeps every run whenever an epoch or the run itself has ended. */
function useKept(runs: readonly Run[], setNotKept: (why: string) => void): void {
  const { engine } = useEngine();
  const kept = useRef(new Map<string, string>());
  useEffect(() => {
    for (const run of runs) {
      const { id, place, status, epochs, answer } = run;
      if (run.ownTitle !== undefined || status === 'waiting') continue;
      const state = `${status} ${epochs.length} ${answer?.prompts.id}`;
      const before = kept.current.get(id);
      kept.current.set(id, state);
      // As it came out of the store.
      if (before === state || (before === undefined && !isGoing(run))) continue;
      const keep = async () => {
        const prompts = answer ? await engine.run('exportPrompts', { prompts: answer.prompts.id }) : null;
        await keepRun({ id, place, run, prompts });
      };
      keep().catch((error: unknown) => setNotKept(whyNotKept(error)));
    }
  }, [runs, engine, setNotKept]);
}

function whyNotKept(error: unknown): string {
  const full = error instanceof DOMException && error.name === 'QuotaExceededError';
  const reason = full ? 'its storage for this page is full' : error instanceof Error ? error.message : String(error);
  return `The browser does not keep runs over a reload: ${reason}. Save prompts that you need.`;
}
