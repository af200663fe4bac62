/** Tune: prompts are learned in the page to be watched, in every preset and mode that is asked for, and compared. */
import { useRef, useState } from 'preact/hooks';
import type { TuningOptions } from '../../../src/ptdpc/options.js';
import type { DataReport, DataRequest, PromptsReport, Steer } from '../../protocol.js';
import { lineOf } from '../engine-client.js';
import { useEngine } from '../engine-state.js';
import { promptsTitle } from '../format.js';
import { useTask } from '../use-task.js';
import { Comparison } from './comparison.js';
import { DataForm } from './data-form.js';
import { RunCard } from './run-card.js';
import { useRuns } from './runs.js';
import { FIRST_SETTINGS, optionsOf, SettingsForm } from './settings-form.js';
import { StagePanel } from './stage.js';
import './tune.css';

export function TuneTab() {
  const { opened } = useEngine();
  const [request, setRequest] = useState<DataRequest | null>({ kind: 'scenes', perClass: 25, seed: 0 });
  const [settings, setSettings] = useState(FIRST_SETTINGS);
  const { report, task, prepare } = usePrepared(request);
  const runs = useRuns();
  const [watched, setWatched] = useState<string>();
  const tunings = runs.runs.filter(({ ownTitle }) => ownTitle === undefined);
  const running = tunings.find(({ status }) => status === 'running');
  const run = tunings.find(({ id }) => id === watched) ?? running ?? tunings.at(-1);
  const heading = useRef<HTMLHeadingElement>(null);

  const wanted = settings.presets.length * settings.modes.length;
  const ready = opened !== undefined && request !== null && !task.running;
  const tune = async (how: Steer) => {
    let options: TuningOptions[];
    try {
      options = optionsOf(settings);
    } catch (error) {
      task.setError(error instanceof Error ? error.message : lineOf(error));
      return;
    }
    setWatched(undefined);
    bringIntoView(heading.current);
    const data = await prepare();
    if (data) runs.tune(data, options, how);
  };
  return (
    <>
      <div class="columns watching">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void tune('play');
          }}
        >
          <DataForm disabled={task.running} onChange={setRequest} report={report} />
          <SettingsForm settings={settings} onChange={setSettings} />
          <p class="field">
            <button type="submit" class="main" disabled={!ready || wanted === 0}>
              {wanted > 1 ? `Tune ${wanted} ways` : 'Tune'}
            </button>
          </p>
        </form>
        <StagePanel
          {...{ runs, run, heading }}
          ready={ready && wanted > 0}
          preparing={task}
          onWatch={setWatched}
          onBegin={(how) => void tune(how)}
        />
      </div>
      <section class="block" aria-labelledby="runs-title">
        <h2 id="runs-title">Tunings</h2>
        {runs.runs.length > 0 && (
          <>
            <Comparison runs={runs.runs} />
            <p class="note">
              Settings, metrics and learned prompts are kept in this browser until you forget them; pictures are not.{' '}
              <button type="button" class="quiet" onClick={runs.forget}>
                Forget all tunings
              </button>
            </p>
            <div class="runs">
              {runs.runs.map((one) => (
                <RunCard key={one.id} run={one} runs={runs} />
              ))}
            </div>
          </>
        )}
        <Available
          ready={ready}
          onEvaluate={(prompts) => void prepare().then((data) => data && runs.evaluate(data, prompts))}
        />
      </section>
      {runs.notKept !== null && <p role="alert">{runs.notKept}</p>}
    </>
  );
}

/** The stage is where something happens next: focus goes there, and the page. */
function bringIntoView(heading: HTMLElement | null): void {
  if (!heading) return;
  heading.scrollIntoView({ block: 'start' });
  heading.focus({ preventScroll: true });
}

interface AvailableProps {
  readonly ready: boolean;
  readonly onEvaluate: (prompts: PromptsReport) => void;
}

/** Prompts that there are already, to be held against. */
function Available({ ready, onEvaluate }: AvailableProps) {
  const { opened } = useEngine();
  const [judged, setJudged] = useState<string>();
  const fitting = opened?.prompts.filter(({ modelHash }) => modelHash === opened.model.hash) ?? [];
  const prompts = fitting.find(({ id }) => id === judged) ?? fitting[0];
  if (!prompts) return null;
  return (
    <div class="field">
      <label for="judged">Available prompts</label>
      <select id="judged" value={prompts.id} onChange={({ currentTarget }) => setJudged(currentTarget.value)}>
        {fitting.map((one) => (
          <option key={one.id} value={one.id}>
            {promptsTitle(one)}
          </option>
        ))}
      </select>
      <button type="button" disabled={!ready} onClick={() => onEvaluate(prompts)}>
        Evaluate
      </button>
    </div>
  );
}

/** The pictures of a request, looked at when they are first needed and kept while model and request stay the same. */
function usePrepared(request: DataRequest | null) {
  const { engine, opened } = useEngine();
  const task = useTask();
  const kept = useRef<{ request: DataRequest; report: DataReport }>();
  const [, redraw] = useState(0);
  const hash = opened?.model.hash;
  const fits = kept.current?.request === request && kept.current?.report.modelHash === hash;
  const prepare = async (): Promise<DataReport | undefined> => {
    if (fits) return kept.current?.report;
    if (!request) return undefined;
    const report = await task.run((watch) => engine.run('prepare', request, watch));
    if (report) {
      kept.current = { request, report };
      redraw((count) => count + 1);
    }
    return report;
  };
  return { report: fits ? kept.current?.report : undefined, task, prepare };
}
