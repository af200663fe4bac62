/** A tuning: how it goes, how it learnt, what it confuses. */
import type { HeldOut } from '../../protocol.js';
import { Chart } from '../chart.js';
import { useEngine } from '../engine-state.js';
import { percent, shortest } from '../format.js';
import { saveFile } from '../save-file.js';
import { Confusion } from './confusion.js';
import type { Run, Runs } from './runs.js';

const STATUS = { waiting: 'waits', running: 'running', stopped: 'stopped', done: 'done', failed: 'failed' } as const;

export function RunCard({ run, runs }: { readonly run: Run; readonly runs: Runs }) {
  const { id, title, status, epochs, options, progress, answer, error } = run;
  const heldOut = answer?.heldOut;
  return (
    <article class="run" aria-labelledby={`${id}-title`} data-status={status}>
      <h3 id={`${id}-title`}>{title}</h3>
      <p class="note" role="status">
        {STATUS[status]}
        {epochs.length > 0 && `, ${epochs.length} of ${options.epochs} epochs`}
        {heldOut && `, ${percent(heldOut.tuned.accuracy)} of ${heldOut.tuned.count} held-out pictures`}
      </p>
      {status === 'running' && progress && (
        <p class="running">
          <progress aria-label={`${title}: tuning`} value={progress.done} max={progress.total} />
          <span class="muted">{progress.detail}</span>
        </p>
      )}
      {error !== undefined && (
        <p role="alert" class="error">
          {error}
        </p>
      )}
      <Buttons run={run} runs={runs} />
      <div class="run-charts">
        {epochs.length > 0 && (
          <>
            <Curve run={run} figure="accuracy" />
            <Curve run={run} figure="loss" />
          </>
        )}
        <RunConfusion run={run} heldOut={heldOut} />
      </div>
    </article>
  );
}

function Buttons({ run, runs }: { readonly run: Run; readonly runs: Runs }) {
  const { engine } = useEngine();
  const { id, title, status, answer } = run;
  const going = status === 'running' || status === 'waiting';
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
      {answer && !going && (
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

const FIGURES = {
  accuracy: { title: 'Accuracy (%)', format: (y: number) => shortest(100 * y, 3), words: percent },
  loss: { title: 'Loss', format: (y: number) => shortest(y, 3), words: (y: number) => shortest(y, 4) },
} as const;

function Curve({ run, figure }: { readonly run: Run; readonly figure: keyof typeof FIGURES }) {
  const { title, format, words } = FIGURES[figure];
  const { epochs, options } = run;
  const points = epochs.map(({ epoch, trainAccuracy, trainLoss, valAccuracy, valLoss }) => ({
    epoch: epoch + 1,
    train: figure === 'accuracy' ? trainAccuracy : trainLoss,
    val: figure === 'accuracy' ? valAccuracy : valLoss,
  }));
  const validated = points.flatMap(({ epoch, val }) => (val === null ? [] : [[epoch, val] as const]));
  const [first, last] = [points[0]!, points.at(-1)!];
  const validation =
    first.val === null || last.val === null ? '' : ` Validation: from ${words(first.val)} to ${words(last.val)}.`;
  return (
    <Chart
      title={title}
      draw={({ lineChart }) =>
        lineChart({
          lines: [
            { name: 'training', color: 'first', points: points.map(({ epoch, train }) => [epoch, train]) },
            ...(validated.length > 0 ? [{ name: 'validation', color: 'second' as const, points: validated }] : []),
          ],
          end: options.epochs,
          xName: 'epoch',
          format,
        })
      }
      summary={`${title} over ${epochs.length} epochs. Training: from ${words(first.train)} to ${words(last.train)}.${validation}`}
      legend={
        <>
          <span class="key first">training</span>
          {validated.length > 0 && <span class="key second">validation</span>}
        </>
      }
      note={
        figure === 'loss' && options.loss === 'double-softmax'
          ? 'Training: cross-entropy of softmax(logits). Validation: of plain logits; the two are not comparable.'
          : undefined
      }
      data={{
        label: `${title} by epoch`,
        head: ['epoch', 'training', 'validation'],
        rows: points.map(({ epoch, train, val }) => [epoch, words(train), val === null ? '–' : words(val)]),
      }}
    />
  );
}

/** Of the held-out pictures once there is an answer, before that of the validation pictures after the last epoch. */
function RunConfusion({ run, heldOut }: { readonly run: Run; readonly heldOut: HeldOut | null | undefined }) {
  const counts = heldOut?.tuned.confusion ?? run.confusion;
  if (!counts) return null;
  const classes = (run.answer?.prompts.classes ?? run.data.classes).map(({ word }) => word);
  return <Confusion classes={classes} counts={counts} which={heldOut ? 'held-out pictures' : 'validation pictures'} />;
}
