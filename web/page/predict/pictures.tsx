/** The pictures of the Predict tab, as the page shows them. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { EMOTIONS } from '../../../src/demo/index.js';
import type { Picture, SceneName, ScenePixels } from '../../protocol.js';

/** A picture with what the page knows of it. */
export interface Shown {
  readonly id: string;
  readonly name: string;
  readonly picture: Picture;
  /** Class word; null if unknown. */
  readonly truth: string | null;
}

/** A scene of each emotion: the n-th of those that the demonstration holds out. */
export function scenesOf(index: number): Shown[] {
  return EMOTIONS.map((emotion) => {
    const scene: SceneName = { emotion, split: 'test', seed: 0, index };
    return {
      id: `scene ${emotion} ${index}`,
      name: `scene ${index + 1}`,
      picture: { kind: 'scene', scene },
      truth: emotion,
    };
  });
}

let files = 0;

export function picturesOf(chosen: readonly File[]): Shown[] {
  return chosen.map((file) => ({
    id: `file ${++files}`,
    name: file.name,
    picture: { kind: 'file', file },
    truth: null,
  }));
}

/** The picture itself. Beside it stands what it is, so that it says nothing by itself. */
export function Thumbnail({ shown, pixels }: { readonly shown: Shown; readonly pixels: ScenePixels | undefined }) {
  const { picture } = shown;
  return picture.kind === 'file' ? <FilePicture file={picture.file} /> : <ScenePicture pixels={pixels} />;
}

function FilePicture({ file }: { readonly file: File }) {
  const [url, setUrl] = useState<string>();
  const [broken, setBroken] = useState(false);
  useEffect(() => {
    const made = URL.createObjectURL(file);
    setUrl(made);
    setBroken(false);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  if (broken || url === undefined) return <span class="picture absent">{broken && 'no picture'}</span>;
  return <img class="picture" src={url} alt="" onError={() => setBroken(true)} />;
}

function ScenePicture({ pixels }: { readonly pixels: ScenePixels | undefined }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (!pixels || !canvas.current) return;
    const { width, height, rgba } = pixels;
    canvas.current.width = width;
    canvas.current.height = height;
    canvas.current.getContext('2d')?.putImageData(new ImageData(rgba, width, height), 0, 0);
  }, [pixels]);
  return <canvas class="picture" ref={canvas} width={96} height={72} />;
}
