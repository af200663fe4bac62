/** The choice of prompts: loaded ones, and those of a file. */
import type { PromptsReport } from '../../protocol.js';
import { FileButton } from '../drop-zone.js';
import { useEngine } from '../engine-state.js';
import { promptsMeaning, promptsTitle } from '../format.js';
import { saveFile } from '../save-file.js';
import { useTask } from '../use-task.js';

export interface PromptsChoiceProps {
  /** Those that fit the model. */
  readonly prompts: readonly PromptsReport[];
  readonly chosen: PromptsReport | undefined;
  readonly onChoose: (id: string) => void;
}

export function PromptsChoice({ prompts, chosen, onChoose }: PromptsChoiceProps) {
  const { engine, addPrompts } = useEngine();
  const task = useTask();
  const open = async ([file]: readonly File[]) => {
    if (!file) return;
    const opened = await task.run((watch) => engine.run('importPrompts', { file }, { signal: watch.signal }));
    if (!opened) return;
    addPrompts(opened);
    onChoose(opened.id);
  };
  const save = async (id: string) => {
    const bytes = await task.run(() => engine.run('exportPrompts', { prompts: id }));
    if (bytes) saveFile('prompts.safetensors', bytes);
  };
  return (
    <div class="field">
      {chosen ? (
        <>
          <label for="prompts">Prompts</label>
          <select
            id="prompts"
            aria-describedby="prompts-meaning"
            value={chosen.id}
            onChange={({ currentTarget }) => onChoose(currentTarget.value)}
          >
            {prompts.map((report) => (
              <option key={report.id} value={report.id}>
                {promptsTitle(report)}
              </option>
            ))}
          </select>
          <small id="prompts-meaning" class="muted">
            {promptsMeaning(chosen)}
          </small>
        </>
      ) : (
        <p class="note">No prompts for this model yet: tune some, or open a file. Until then, zero-shot.</p>
      )}
      <FileButton accept=".safetensors" onFiles={(files) => void open(files)}>
        Open prompts
      </FileButton>
      {chosen && (
        <button type="button" onClick={() => void save(chosen.id)}>
          Save prompts
        </button>
      )}
      {task.error !== null && (
        <p role="alert" class="error">
          {task.error}
        </p>
      )}
    </div>
  );
}
