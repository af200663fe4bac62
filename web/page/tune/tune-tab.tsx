/** Tune: prompts are learned in the page, in every preset and mode that is asked for, and compared. */
import { useRef, useState } from 'preact/hooks';
import type { TuningOptions } from '../../../src/ptdpc/options.js';
import type { DataReport, DataRequest } from '../../protocol.js';
import { lineOf } from '../engine-client.js';
import { useEngine } from '../engine-state.js';
import { promptsTitle } from '../format.js';
import { TaskLine } from '../task-line.js';
import { useTask } from '../use-task.js';
import { Comparison } from './comparison.js';
import { DataForm } from './data-form.js';
import { RunCard } from './run-card.js';
import { useRuns } from './runs.js';
import { FIRST_SETTINGS, optionsOf, SettingsForm } from './settings-form.js';
import './tune.css';

export function TuneTab() {
  const { opened } = useEngine();
  const [request, setRequest] = useState<DataRequest | null>({ kind: 'scenes', perClass: 25, seed: 0 });
  const [settings, setSettings] = useState(FIRST_SETTINGS);
  const { report, task, prepare } = usePrepared(request);
  const runs = useRuns();
  const fitting = opened?.prompts.filter(({ modelHash }) => modelHash === opened.model.hash) ?? [];
  const [judged, setJudged] = useState<string>();
  const prompts = fitting.find(({ id }) => id === judged) ?? fitting[0];

  const wanted = settings.presets.length * settings.modes.length;
  const ready = opened !== undefined && request !== null && !task.running;
  const tune = async () => {
    let options: TuningOptions[];
    try {
      options = optionsOf(settings);
    } catch (error) {
      task.setError(error instanceof Error ? error.message : lineOf(error));
      return;
    }
    const data = await prepare();
    if (data) runs.tune(data, options);
  };
  return (
    <>
      <div class="columns even">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void tune();
          }}
        >
          <DataForm disabled={task.running} onChange={setRequest} report={report} />
          <SettingsForm settings={settings} onChange={setSettings} />
          <p class="field">
            <button type="submit" class="main" disabled={!ready || wanted === 0}>
              {wanted > 1 ? `Tune ${wanted} ways` : 'Tune'}
            </button>
          </p>
          <TaskLine task={task} />
        </form>
        <div>
          <h2>How it is done</h2>
          <p>
            CLIP stays as it is. What is learned are the words before a class word, as vectors: from the training
            pictures, epoch by epoch. Validation pictures are only watched. Held-out pictures are looked at when a
            tuning has ended, and show what it gained over the same template without tuning.
          </p>
          <p>
            Several presets and modes are tuned one after the other on the same pictures. A tuning can be stopped and
            resumed; its prompts are those of its last epoch.
          </p>
          {prompts && (
            <div class="field">
              <label for="judged">Available prompts</label>
              <select id="judged" value={prompts.id} onChange={({ currentTarget }) => setJudged(currentTarget.value)}>
                {fitting.map((one) => (
                  <option key={one.id} value={one.id}>
                    {promptsTitle(one)}
                  </option>
                ))}
              </select>
              <button
                type="button"
                disabled={!ready}
                onClick={() => void prepare().then((data) => data && runs.evaluate(data, prompts))}
              >
                Evaluate
              </button>
            </div>
          )}
        </div>
      </div>
      {runs.runs.length > 0 && (
        <section class="block" aria-labelledby="runs-title">
          <h2 id="runs-title">Tunings</h2>
          <Comparison runs={runs.runs} />
          <div class="runs">
            {runs.runs.map((run) => (
              <RunCard key={run.id} run={run} runs={runs} />
            ))}
          </div>
        </section>
      )}
    </>
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
