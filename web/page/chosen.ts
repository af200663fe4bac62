/** The pictures, the one that is looked at, and the prompts it is looked at with: what Predict and How it works have in common. */
import { createContext } from 'preact';
import { useContext, useEffect, useMemo, useState } from 'preact/hooks';
import type { PromptsReport, ScenePixels } from '../protocol.js';
import type { EngineState } from './engine-state.js';
import { picturesOf, type Shown, scenesOf } from './predict/pictures.js';

export interface Chosen {
  /** The user's own, and scenes. */
  readonly pictures: readonly Shown[];
  /** Of scenes, by the picture's id, once they are drawn. */
  readonly pixels: ReadonlyMap<string, ScenePixels>;
  readonly shown: Shown;
  readonly hasFiles: boolean;
  /** Those that fit the model. */
  readonly fitting: readonly PromptsReport[];
  readonly prompts: PromptsReport | undefined;
  select(id: string): void;
  /** Adds pictures and chooses the first of them. */
  addFiles(files: readonly File[]): void;
  removeFiles(): void;
  drawOthers(): void;
  choosePrompts(id: string): void;
  /** Whether the model knows pictures like this one: the built-in one knows drawn scenes only. */
  isFamiliar(shown: Shown): boolean;
}

export const ChosenContext = createContext<Chosen | undefined>(undefined);

/** The state that `App` provides. */
export function useChosen(): Chosen {
  const chosen = useContext(ChosenContext);
  if (!chosen) throw new Error('outside of the app');
  return chosen;
}

export function useChosenState({ engine, opened }: EngineState): Chosen {
  const [sceneIndex, setSceneIndex] = useState(0);
  const [files, setFiles] = useState<readonly Shown[]>([]);
  const scenes = useMemo(() => scenesOf(sceneIndex), [sceneIndex]);
  const pictures = useMemo(() => [...files, ...scenes], [files, scenes]);
  const [selected, setSelected] = useState<string>();
  const [promptsId, setPromptsId] = useState<string>();
  const fitting = opened?.prompts.filter(({ modelHash }) => modelHash === opened.model.hash) ?? [];
  return {
    pictures,
    pixels: useScenePixels(engine, scenes),
    shown: pictures.find(({ id }) => id === selected) ?? pictures[0]!,
    hasFiles: files.length > 0,
    fitting,
    prompts: fitting.find(({ id }) => id === promptsId) ?? fitting.at(-1),
    select: setSelected,
    addFiles: (chosen) => {
      const added = picturesOf(chosen);
      if (added.length === 0) return;
      setFiles((before) => [...added, ...before]);
      setSelected(added[0]!.id);
    },
    removeFiles: () => setFiles([]),
    drawOthers: () => setSceneIndex((index) => index + 1),
    choosePrompts: setPromptsId,
    isFamiliar: ({ picture }) => !opened?.model.builtIn || picture.kind === 'scene',
  };
}

/** The pictures of scenes, drawn by the engine. */
function useScenePixels(engine: EngineState['engine'], scenes: readonly Shown[]): ReadonlyMap<string, ScenePixels> {
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
