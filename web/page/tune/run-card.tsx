/** A tuning: how it goes, how it learnt, what it confuses. */
import { useMemo } from 'preact/hooks';
import type { HeldOut } from '../../protocol.js';
import { useEngine } from '../engine-state.js';
import { counted, percent } from '../format.js';
import { saveFile } from '../save-file.js';
import { Confusion } from './confusion.js';
import { AccuracyCurve, Losses } from './curves.js';
import { isGoing, isWorse, type Runs, type TitledRun } from './runs.js';

const STATUS = {
  waiting: 'waiting',
  running: 'running',
  stopped: 'stopped',
  interrupted: 'interrupted',
  done: 'done',
  failed: 'failed',
} as const;

export function RunCard({ run, runs }: { readonly run: TitledRun; readonly runs: Runs }) {
  const { id, title, status, epochs, options, answer, error } = run;
  const heldOut = answer?.heldOut;
  // A run changes at every step, these only when an epoch or the run ends.
  const details = useMemo(
    () =>
      (epochs.length > 0 || heldOut) && (
        <details>
          <summary>Curves and confusion</summary>
          <div class="run-charts">
            {epochs.length > 0 && (
              <>
                <AccuracyCurve run={run} />
                <Losses run={run} />
              </>
            )}
            <RunConfusion run={run} heldOut={heldOut} />
          </div>
        </details>
      ),
    [epochs, run.confusion, answer],
  );
  return (
    <article class="run" aria-labelledby={`${id}-title`} data-status={status}>
      <h3 id={`${id}-title`}>{title}</h3>
      <p class="note" role="status">
        {status === 'running' && run.stage?.paused ? 'paused' : STATUS[status]}
        {epochs.length > 0 && `, ${epochs.length} of ${options.epochs} epochs`}
        {heldOut && `, ${percent(heldOut.tuned.accuracy)} of ${counted(heldOut.tuned.count, 'held-out picture')}`}
        {isWorse(run) && <strong class="worse">, worse than zero-shot</strong>}
      </p>
      {error !== undefined && (
        <p role="alert" class="error">
          {error}
        </p>
      )}
      <Buttons run={run} runs={runs} />
      {details}
    </article>
  );
}

function Buttons({ run, runs }: { readonly run: TitledRun; readonly runs: Runs }) {
  const { engine, opened } = useEngine();
  const { id, title, status, answer } = run;
  const going = isGoing(run);
  // Those of an earlier visit, of another model than the open one, are not in the engine.
  const saved = answer && opened?.prompts.some(({ id }) => id === answer.prompts.id);
  const save = async (prompts: string) => {
    saveFile('prompts.safetensors', await engine.run('exportPrompts', { prompts }));
  };
  return (
    <p class="field">
      {going && (
        <button type="button" onClick={() => runs.stop(id)}>
          Stop<span class="hidden-text"> {title}</span>
        </button>
      )}
      {status === 'stopped' && (
        <button type="button" onClick={() => runs.resume(id)}>
          Resume<span class="hidden-text"> {title}</span>
        </button>
      )}
      {answer && saved && !going && (
        <button type="button" onClick={() => void save(answer.prompts.id)}>
          Save prompts<span class="hidden-text"> of {title}</span>
        </button>
      )}
      {!going && (
        <button type="button" class="quiet" onClick={() => runs.remove(id)}>
          Remove<span class="hidden-text"> {title}</span>
        </button>
      )}
    </p>
  );
}

/** Of the held-out pictures once there is an answer, before that of the validation pictures after the last epoch. */
function RunConfusion({ run, heldOut }: { readonly run: TitledRun; readonly heldOut: HeldOut | null | undefined }) {
  const counts = heldOut?.tuned.confusion ?? run.confusion;
  if (!counts) return null;
  const classes = (run.answer?.prompts.classes ?? run.data.classes).map(({ word }) => word);
  return <Confusion classes={classes} counts={counts} which={heldOut ? 'held-out pictures' : 'validation pictures'} />;
}
