/** Predict: pictures go in, probabilities and what they rest on come out. */
import { useEffect, useState } from 'preact/hooks';
import { IMAGE_FORMAT_NAMES, IMAGE_FORMATS } from '../../../src/clip/image/formats.js';
import { EMOTIONS } from '../../../src/demo/index.js';
import type { PromptExplanation } from '../../../src/ptdpc/index.js';
import type { PictureAnswer } from '../../protocol.js';
import { useChosen } from '../chosen.js';
import { DropZone, FileButton } from '../drop-zone.js';
import { useEngine } from '../engine-state.js';
import { wordOf } from '../format.js';
import { TaskLine } from '../task-line.js';
import { useTask } from '../use-task.js';
import { Answer } from './answer.js';
import { ClassWords } from './class-words.js';
import { Gallery } from './gallery.js';
import { Intro } from './intro.js';
import type { Shown } from './pictures.js';
import { PromptsChoice } from './prompts-choice.js';
import { Words } from './words.js';
import './predict.css';

const ACCEPT = IMAGE_FORMATS.flatMap(({ mediaType, extensions }) => [mediaType, ...extensions]).join();

export function PredictTab() {
  const { opened } = useEngine();
  const { pictures, pixels, shown, hasFiles, fitting, prompts, isFamiliar, ...choose } = useChosen();
  const [classWords, setClassWords] = useState<readonly string[]>(EMOTIONS);
  const { answers, classes, task } = useAnswers(pictures, prompts?.id, classWords);
  const words = useWords(prompts?.id);
  return (
    <>
      <Intro />
      <div class="columns">
        <div class="choose">
          <DropZone onDrop={(data) => choose.addFiles([...data.files])}>
            <p>Drop {IMAGE_FORMAT_NAMES} pictures here, or</p>
            <FileButton accept={ACCEPT} multiple onFiles={choose.addFiles}>
              Choose pictures
            </FileButton>
          </DropZone>
          {opened && <PromptsChoice prompts={fitting} chosen={prompts} onChoose={choose.choosePrompts} />}
          {opened && !prompts && <ClassWords words={classWords} onChange={setClassWords} />}
          <div class="field">
            <button type="button" onClick={choose.drawOthers}>
              Draw other scenes
            </button>
            {hasFiles && (
              <button type="button" class="quiet" onClick={choose.removeFiles}>
                Remove my pictures
              </button>
            )}
          </div>
          <Gallery
            {...{ pictures, pixels, answers, classes, isFamiliar, onSelect: choose.select }}
            selected={shown.id}
          />
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
