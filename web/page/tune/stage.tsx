/** The stage: one tuning to watch, with the buttons that drive it, and all tunings in one chart. */
import type { Ref } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Steer } from '../../protocol.js';
import { counted, percent } from '../format.js';
import { TaskLine } from '../task-line.js';
import type { RunningTask } from '../use-task.js';
import { AccuracyChart } from './accuracy-chart.js';
import { TrainingLoss } from './curves.js';
import { PictureGrid } from './picture-grid.js';
import { isGoing, isWorse, type Runs, type TitledRun } from './runs.js';
import { TokenMap } from './token-map.js';

export interface StageProps {
  readonly runs: Runs;
  /** Which one is watched. */
  readonly run: TitledRun | undefined;
  readonly onWatch: (id: string) => void;
  /** Looking at the pictures, before a tuning begins. */
  readonly preparing: RunningTask;
  readonly heading: Ref<HTMLHeadingElement>;
  /** True if a tuning may be begun. */
  readonly ready: boolean;
  /** Begins a tuning that goes only so far. */
  readonly onBegin: (how: Steer) => void;
}

export function StagePanel({ runs, run, onWatch, preparing, heading, ready, onBegin }: StageProps) {
  const others = runs.runs.filter(({ ownTitle }) => ownTitle === undefined);
  return (
    <section class="stage" aria-labelledby="stage-title">
      <div class="stage-head">
        <h2 id="stage-title" tabIndex={-1} ref={heading}>
          {run ? run.title : 'Watch the training'}
        </h2>
        <Transport {...{ runs, run, ready, preparing, onBegin }} />
      </div>
      {preparing.running || preparing.error !== null || !run ? (
        <TaskLine task={preparing} stopElsewhere />
      ) : (
        <Standing run={run} />
      )}
      {others.length > 1 && run && (
        <p class="field">
          <label for="watched-run">Watch</label>
          <select id="watched-run" value={run.id} onChange={({ currentTarget }) => onWatch(currentTarget.value)}>
            {others.map(({ id, title }) => (
              <option key={id} value={id}>
                {title}
              </option>
            ))}
          </select>
        </p>
      )}
      {run ? <Scenery run={run} runs={others} /> : <Explanation />}
    </section>
  );
}

/** Drawn anew when an epoch ends or a tuning pauses, not at every step. */
function Scenery({ run, runs }: { readonly run: TitledRun; readonly runs: readonly TitledRun[] }) {
  const all = JSON.stringify(runs.map(({ id, title, epochs, status }) => [id, title, epochs.length, status]));
  const accuracy = useMemo(() => <AccuracyChart runs={runs} />, [all, run.zeroShot]);
  const { id, stage, epochs, zeroShot, data } = run;
  const own = useMemo(
    () => ({
      grid: <PictureGrid run={run} />,
      tokens: stage && <TokenMap stage={stage} classes={data.classes.map(({ word }) => word)} />,
      loss: <TrainingLoss run={run} />,
    }),
    [id, stage, epochs, zeroShot, data],
  );
  return (
    <div class="scenery">
      {own.grid}
      {accuracy}
      {own.tokens}
      {own.loss}
    </div>
  );
}

type TransportProps = Pick<StageProps, 'runs' | 'run' | 'ready' | 'preparing' | 'onBegin'>;

/** The same buttons at all times, so that nothing moves under the finger. */
function Transport({ runs, run, ready, preparing, onBegin }: TransportProps) {
  const going = run && isGoing(run) ? run : undefined;
  const running = going?.status === 'running' ? going : undefined;
  const paused = running?.stage?.paused ?? false;
  const step = (how: Steer) => (running ? runs.steer(running.id, how) : onBegin(how));
  const stepable = running ? paused : ready && !going && !preparing.running;
  const verb = going ? 'Step' : 'Start with';
  return (
    <p class="field transport">
      <button
        type="button"
        disabled={!running?.stage}
        onClick={() => runs.steer(running!.id, paused ? 'play' : 'pause')}
      >
        {paused ? '▶ Play' : '❚❚ Pause'}
      </button>
      <button type="button" disabled={!stepable} onClick={() => step('batch')}>
        {verb} a batch
      </button>
      <button type="button" disabled={!stepable} onClick={() => step('epoch')}>
        {verb} an epoch
      </button>
      <button
        type="button"
        disabled={!going && !preparing.running}
        onClick={() => (preparing.running ? preparing.cancel() : runs.stop(going!.id))}
      >
        Stop
      </button>
    </p>
  );
}

/** How far it is, in words and as a bar. Announced by epochs and pauses, since steps are too many. */
function Standing({ run }: { readonly run: TitledRun }) {
  const { status, stage, progress, options, epochs, error } = run;
  const stepsPerEpoch = stage?.stepsPerEpoch ?? 0;
  const paused = status === 'running' && stage?.paused;
  const inEpoch = stage && stepsPerEpoch > 0 ? stage.steps % stepsPerEpoch : 0;
  const now = epochs.at(-1);
  const words = {
    waiting: 'Waiting for the tuning before it',
    running: paused ? 'Paused' : 'Training',
    stopped: 'Stopped',
    interrupted: 'Interrupted, since the page was closed',
    done: 'Done',
    failed: 'Failed',
  }[status];
  const done = paused ? stage.steps : (progress?.done ?? stage?.steps ?? 0);
  return (
    <div class="standing">
      <p role="status">
        <strong>{words}</strong>
        {` after ${epochs.length} of ${counted(options.epochs, 'epoch')}`}
        {paused && inEpoch > 0 && ` and ${inEpoch} of ${counted(stepsPerEpoch, 'batch', 'batches')}`}
        {now && now.valAccuracy !== null && `; validation ${percent(now.valAccuracy)}`}
        {paused && stage.loss !== null && `; loss of the last batch ${stage.loss.toFixed(4)}`}
        {isWorse(run) && <strong class="worse">; worse than zero-shot</strong>}
      </p>
      <progress
        aria-label="tuning"
        value={status === 'done' ? 1 : done}
        max={status === 'done' ? 1 : stepsPerEpoch * options.epochs || 1}
      />
      <span class="muted">{status === 'running' && !paused ? progress?.detail : ''}</span>
      {error !== undefined && <p class="error">{error}</p>}
    </div>
  );
}

function Explanation() {
  return (
    <>
      <p>
        CLIP stays frozen. What is learned is the words before a class word, as vectors, from the training pictures,
        batch by batch. Here you will see how the answers to held-out pictures flip, how the accuracy compares with no
        tuning (zero-shot), and how the learned tokens drift.
      </p>
      <p>
        Press <em>Tune</em>, or start with a batch or an epoch. Pausing and stepping do not change what is learned.
        Several presets and modes are tuned one after the other on the same pictures. A tuning can be stopped and
        resumed; its prompts are those of its last epoch.
      </p>
      <p>
        Preset <em>paper</em> follows the paper, <em>official</em> its authors’ code. Mode <em>both</em> is the method:
        every class has its own tokens, and each picture composes one prompt from all of them. In <em>cs</em>{' '}
        (class-specific) every class keeps its own tokens, whatever the picture; in <em>is</em> (instance-specific) a
        picture weights tokens that all classes share; in <em>none</em> all classes and pictures share one prompt.
      </p>
    </>
  );
}
