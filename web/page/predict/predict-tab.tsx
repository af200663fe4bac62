/** Predict: pictures go in, probabilities and what they rest on come out. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { IMAGE_FORMAT_NAMES, IMAGE_FORMATS } from '../../../src/clip/image/formats.js';
import { EMOTIONS } from '../../../src/demo/index.js';
import type { PromptExplanation } from '../../../src/ptdpc/index.js';
import type { PictureAnswer, ScenePixels } from '../../protocol.js';
import { DropZone, FileButton } from '../drop-zone.js';
import { useEngine } from '../engine-state.js';
import { wordOf } from '../format.js';
import { TaskLine } from '../task-line.js';
import { useTask } from '../use-task.js';
import { Answer } from './answer.js';
import { ClassWords } from './class-words.js';
import { Gallery } from './gallery.js';
import { picturesOf, type Shown, scenesOf } from './pictures.js';
import { PromptsChoice } from './prompts-choice.js';
import { Words } from './words.js';
import './predict.css';

const ACCEPT = IMAGE_FORMATS.flatMap(({ mediaType, extensions }) => [mediaType, ...extensions]).join();

export function PredictTab() {
  const { opened } = useEngine();
  const [sceneIndex, setSceneIndex] = useState(0);
  const [files, setFiles] = useState<readonly Shown[]>([]);
  const scenes = useMemo(() => scenesOf(sceneIndex), [sceneIndex]);
  const pictures = useMemo(() => [...files, ...scenes], [files, scenes]);
  const [selected, setSelected] = useState<string>();
  const [promptsId, setPromptsId] = useState<string>();
  const fitting = opened?.prompts.filter(({ modelHash }) => modelHash === opened.model.hash) ?? [];
  const prompts = fitting.find(({ id }) => id === promptsId) ?? fitting.at(-1);

  const pixels = useScenePixels(scenes);
  const [classWords, setClassWords] = useState<readonly string[]>(EMOTIONS);
  const { answers, classes, task } = useAnswers(pictures, prompts?.id, classWords);
  const words = useWords(prompts?.id);
  const shown = pictures.find(({ id }) => id === selected) ?? pictures[0]!;
  /** The built-in model knows drawn scenes only. */
  const isFamiliar = ({ picture }: Shown) => !opened?.model.builtIn || picture.kind === 'scene';
  const addFiles = (chosen: readonly File[]) => {
    const added = picturesOf(chosen);
    if (added.length === 0) return;
    setFiles((before) => [...added, ...before]);
    setSelected(added[0]!.id);
  };
  return (
    <>
      <div class="columns">
        <div class="choose">
          <DropZone onDrop={(data) => addFiles([...data.files])}>
            <p>Drop {IMAGE_FORMAT_NAMES} pictures here, or</p>
            <FileButton accept={ACCEPT} multiple onFiles={addFiles}>
              Choose pictures
            </FileButton>
          </DropZone>
          {opened && <PromptsChoice prompts={fitting} chosen={prompts} onChoose={setPromptsId} />}
          {opened && !prompts && <ClassWords words={classWords} onChange={setClassWords} />}
          <div class="field">
            <button type="button" onClick={() => setSceneIndex((index) => index + 1)}>
              Draw other scenes
            </button>
            {files.length > 0 && (
              <button type="button" class="quiet" onClick={() => setFiles([])}>
                Remove my pictures
              </button>
            )}
          </div>
          <Gallery {...{ pictures, pixels, answers, classes, isFamiliar, onSelect: setSelected }} selected={shown.id} />
          <TaskLine task={task} />
        </div>
        <Answer
          {...{ shown, classes, prompts }}
          answer={answers.get(shown.id)}
          pixels={pixels.get(shown.id)}
          tokens={words?.tokens.map(wordOf)}
          familiar={isFamiliar(shown)}
        />
      </div>
      {prompts && words && (
        <section class="block" aria-labelledby="words-title">
          <h2 id="words-title">What the prompts have learned</h2>
          <Words words={words} />
        </section>
      )}
    </>
  );
}

/** The pictures of scenes, drawn by the engine. */
function useScenePixels(scenes: readonly Shown[]): ReadonlyMap<string, ScenePixels> {
  const { engine } = useEngine();
  const [pixels, setPixels] = useState<ReadonlyMap<string, ScenePixels>>(new Map());
  useEffect(() => {
    const names = scenes.flatMap(({ picture }) => (picture.kind === 'scene' ? [picture.scene] : []));
    let wanted = true;
    engine.run('scenes', { scenes: names }).then(
      (drawn) => {
        if (wanted) setPixels(new Map(drawn.map((one, i) => [scenes[i]!.id, one])));
      },
      () => {},
    );
    return () => {
      wanted = false;
    };
  }, [engine, scenes]);
  return pixels;
}

/** The predictions of these prompts: requested for the images that have none yet. */
function useAnswers(pictures: readonly Shown[], prompts: string | undefined, classWords: readonly string[]) {
  const { engine, opened, generation } = useEngine();
  const task = useTask();
  const [known, setKnown] = useState<{
    key: string;
    classes: readonly string[];
    answers: ReadonlyMap<string, PictureAnswer>;
  }>({ key: '', classes: [], answers: new Map() });
  const key = `${generation} ${prompts ?? classWords.join()}`;
  const answers = known.key === key ? known.answers : NOTHING;
  const { run } = task;
  useEffect(() => {
    if (!opened) return;
    const asked = pictures.filter(({ id }) => !answers.has(id));
    if (asked.length === 0) return;
    void run(async (watch) => {
      const request = { pictures: asked.map(({ picture }) => picture), prompts: prompts ?? null, classes: classWords };
      const { classes, pictures: said } = await engine.run('predict', request, watch);
      setKnown({ key, classes, answers: new Map([...answers, ...asked.map(({ id }, i) => [id, said[i]!] as const)]) });
    });
  }, [engine, opened?.model.hash, key, pictures]);
  return { answers, classes: known.classes, task };
}

const NOTHING: ReadonlyMap<string, PictureAnswer> = new Map();

/** The nearest words of these prompts. */
function useWords(prompts: string | undefined): PromptExplanation | undefined {
  const { engine } = useEngine();
  const [known, setKnown] = useState<{ prompts: string; words: PromptExplanation }>();
  useEffect(() => {
    if (prompts === undefined || known?.prompts === prompts) return;
    let wanted = true;
    engine.run('words', { prompts }).then(
      (words) => {
        if (wanted) setKnown({ prompts, words });
      },
      () => {},
    );
    return () => {
      wanted = false;
    };
  }, [engine, prompts]);
  return known?.prompts === prompts ? known?.words : undefined;
}
