/** Held-out pictures by which a tuning is watched: what it answers to each, and where that has changed. */
import { useEffect, useState } from 'preact/hooks';
import type { Picture, SceneName, ScenePixels, WatchedPicture } from '../../protocol.js';
import { useEngine } from '../engine-state.js';
import { counted } from '../format.js';
import { Thumbnail } from '../predict/pictures.js';
import type { Run } from './runs.js';

export function PictureGrid({ run }: { readonly run: Run }) {
  const { data, stage, zeroShot, answersBefore } = run;
  const { watched } = data;
  const pixels = useScenes(watched);
  const answers = stage?.answers ?? zeroShot?.answers;
  if (watched.length === 0) return <p class="note">Pictures of your own are not kept over a reload.</p>;
  const words = data.classes.map(({ word }) => word);
  const right = answers?.filter((answer, i) => answer === watched[i]!.label).length;
  const flipped = answers?.filter((answer, i) => zeroShot && answer !== zeroShot.answers[i]).length ?? 0;
  return (
    <figure class="watched">
      <figcaption>
        {counted(watched.length, 'held-out picture')}
        <span class="legend">
          {right === undefined
            ? 'no answers yet'
            : `${right} right (✓), ${watched.length - right} wrong (✗), ${flipped} answered differently than without tuning (⇄)`}
        </span>
      </figcaption>
      <ul class="tiles">
        {watched.map(({ picture, label }, i) => (
          <Tile
            key={i}
            picture={picture}
            name={words[label]!}
            pixels={pixels[i]}
            answer={answers && wordAt(words, answers[i])}
            without={zeroShot && wordAt(words, zeroShot.answers[i])}
            justFlipped={answersBefore !== undefined && answers !== undefined && answersBefore[i] !== answers[i]}
          />
        ))}
      </ul>
    </figure>
  );
}

const wordAt = (words: readonly string[], place: number | undefined) =>
  place === undefined ? undefined : words[place];

interface TileProps {
  readonly picture: Picture;
  /** Class word. */
  readonly name: string;
  readonly pixels: ScenePixels | undefined;
  readonly answer: string | undefined;
  /** Answer without tuning. */
  readonly without: string | undefined;
  /** Since the last look. */
  readonly justFlipped: boolean;
}

function Tile({ picture, name, pixels, answer, without, justFlipped }: TileProps) {
  const verdict = answer === undefined ? '' : answer === name ? 'right' : 'wrong';
  const flipped = answer !== undefined && without !== undefined && answer !== without;
  return (
    <li class={`tile ${verdict}${justFlipped ? ' just' : ''}`} data-answer={answer} data-flipped={flipped}>
      <Thumbnail shown={{ id: '', name, picture, truth: name }} pixels={pixels} />
      <span class="sign" aria-hidden="true">
        {verdict === 'right' ? '✓' : verdict === 'wrong' ? '✗' : '·'}
        {flipped && ' ⇄'}
      </span>
      <span class="hidden-text">drawn: {name}; answer: </span>
      <span class="says" title={answer}>
        {answer ?? '…'}
      </span>
      {flipped && <span class="hidden-text">, without tuning: {without}</span>}
    </li>
  );
}

/** The pixels of those that are scenes, in their order. */
function useScenes(watched: readonly WatchedPicture[]): readonly (ScenePixels | undefined)[] {
  const { engine } = useEngine();
  const [pixels, setPixels] = useState<readonly ScenePixels[]>([]);
  const names = JSON.stringify(watched.map(({ picture }) => (picture.kind === 'scene' ? picture.scene : null)));
  useEffect(() => {
    const scenes = (JSON.parse(names) as (SceneName | null)[]).filter((scene) => scene !== null);
    let gone = false;
    setPixels([]);
    engine.run('scenes', { scenes }).then(
      (drawn) => {
        if (!gone) setPixels(drawn);
      },
      () => {},
    );
    return () => {
      gone = true;
    };
  }, [engine, names]);
  return pixels;
}
