/** Own model: a CLIP of the user's, opened from its folder; its memory need is shown before it is loaded. */
import { useEffect, useState } from 'preact/hooks';
import type { ModelFolder, ModelPlan } from '../../protocol-model.js';
import { DropZone, FileButton } from '../drop-zone.js';
import { useEngine } from '../engine-state.js';
import { chosenFolder, droppedFolder, type Folder } from '../folder.js';
import { TaskLine } from '../task-line.js';
import { type RunningTask, useTask } from '../use-task.js';
import { Plan } from './plan.js';
import './model.css';

/** What a model folder may consist of; the rest of a folder stays where it is. */
const MODEL_FILE = /(?:\.(?:json|safetensors|bin)|merges\.txt|vocab_16e6\.txt(?:\.gz)?)$/;

export function ModelTab() {
  const { engine, opened, setOpened } = useEngine();
  const task = useTask();
  const [folder, setFolder] = useState<ModelFolder>();
  const plan = usePlan(folder, task);
  const model = opened?.model;
  const choose = (chosen: Folder | undefined) => {
    if (!chosen) return task.setError('Expected a folder: drop the one that has config.json in it.');
    setFolder({ name: chosen.name, files: chosen.files.filter(({ path }) => MODEL_FILE.test(path)) });
  };
  const load = async (chosen: ModelFolder) => {
    const next = await task.run((watch) => engine.run('open-model', chosen, watch));
    if (!next) return;
    setFolder(undefined);
    setOpened(next);
  };
  const goBack = async () => {
    const next = await task.run((watch) => engine.run('built-in-model', {}, { signal: watch.signal }));
    if (next) setOpened(next);
  };
  return (
    <>
      <section aria-labelledby="model-now">
        <h2 id="model-now">The model in use: {model?.name ?? '…'}</h2>
        {model?.builtIn && (
          <p>
            The page includes a small CLIP that knows drawn scenes only. Open one of your own, such as ViT-B/32 at its
            real size, to look at photographs. It is read from your disk and stays on your computer.
          </p>
        )}
        {model && !model.builtIn && (
          <>
            <p>
              Predict and Tune use it now: pictures of {model.imageSize} pixels, weights with SHA-256{' '}
              <code>{model.hash.slice(0, 12)}…</code>. Prompts of another model do not fit it.
            </p>
            <p class="field">
              <button type="button" disabled={task.running} onClick={() => void goBack()}>
                Go back to the built-in model
              </button>
            </p>
          </>
        )}
      </section>
      <section class="block" aria-labelledby="model-open">
        <h2 id="model-open">Open a model folder</h2>
        <DropZone onDrop={(data) => void droppedFolder(data).then(choose)}>
          <p>
            Drop a folder from the Hugging Face hub, or as <code>ptdpc convert</code> writes it, here, or
          </p>
          <FileButton folder disabled={task.running} onFiles={(files) => choose(chosenFolder(files))}>
            Choose a model folder
          </FileButton>
        </DropZone>
        <p class="note">
          With config.json, model.safetensors (or shards with their index, or pytorch_model.bin) and merges.txt or
          tokenizer.json. Only its header is read until you load it.
        </p>
        {plan && folder && <Plan plan={plan} disabled={task.running} onLoad={() => void load(folder)} />}
        <TaskLine task={task} />
      </section>
    </>
  );
}

/** What loading a folder's model would take: on this device, and asked again where another is chosen. */
function usePlan(folder: ModelFolder | undefined, { run }: RunningTask): ModelPlan | undefined {
  const { engine, opened } = useEngine();
  const [known, setKnown] = useState<{ folder: ModelFolder; plan: ModelPlan }>();
  useEffect(() => {
    setKnown(undefined);
    if (!folder) return;
    void run(async (watch) => {
      const plan = await engine.run('inspect-model', folder, { signal: watch.signal });
      setKnown({ folder, plan });
    });
  }, [engine, folder, opened?.device.description, run]);
  return known && known.folder === folder ? known.plan : undefined;
}
