/** The pictures to choose from, each with its prediction. */
import type { PictureAnswer, ScenePixels } from '../../protocol.js';
import { percent } from '../format.js';
import { type Shown, Thumbnail } from './pictures.js';

export interface GalleryProps {
  readonly pictures: readonly Shown[];
  readonly pixels: ReadonlyMap<string, ScenePixels>;
  readonly answers: ReadonlyMap<string, PictureAnswer>;
  readonly classes: readonly string[];
  readonly isFamiliar: (shown: Shown) => boolean;
  readonly selected: string | undefined;
  readonly onSelect: (id: string) => void;
}

export function Gallery({ pictures, pixels, answers, classes, isFamiliar, selected, onSelect }: GalleryProps) {
  return (
    <ul class="gallery" id="scenes">
      {pictures.map((shown) => (
        <li key={shown.id}>
          <button type="button" aria-pressed={shown.id === selected} onClick={() => onSelect(shown.id)}>
            <Thumbnail shown={shown} pixels={pixels.get(shown.id)} />
            <Verdict shown={shown} answer={answers.get(shown.id)} classes={classes} familiar={isFamiliar(shown)} />
          </button>
        </li>
      ))}
    </ul>
  );
}

function Verdict({
  shown,
  answer,
  classes,
  familiar,
}: {
  readonly shown: Shown;
  readonly answer: PictureAnswer | undefined;
  readonly classes: readonly string[];
  readonly familiar: boolean;
}) {
  const said = answer && best(answer, classes);
  const right = said && shown.truth !== null ? (said.word === shown.truth ? 'right' : 'wrong') : '';
  return (
    <span class="verdict-lines">
      <span class="name">{shown.truth === null ? shown.name : `drawn: ${shown.truth}`}</span>
      {answer && 'refused' in answer && <span class="verdict wrong">cannot be read</span>}
      {said && (
        <span class={`verdict ${right}`}>
          {right && <span aria-hidden="true">{right === 'right' ? '✓ ' : '✗ '}</span>}
          {familiar ? `${said.word} ${percent(said.probability)}` : `${said.word}?`}
          {right && <span class="hidden-text">, {right}</span>}
        </span>
      )}
    </span>
  );
}

/** The most probable class: by the prompts, or without them. Undefined for a picture that cannot be read. */
export function best(answer: PictureAnswer, classes: readonly string[]) {
  if ('refused' in answer) return undefined;
  const probabilities = answer.tuned?.probabilities ?? answer.zeroShot;
  const place = probabilities.reduce((most, p, i) => (p > probabilities[most]! ? i : most), 0);
  return { word: classes[place]!, probability: probabilities[place]! };
}
