/** Everything shown about one image. */

import { MOST_SHOWN, placesShown } from '../../most-shown.js';
import type { PictureAnswer, PictureRead, PromptsReport, ScenePixels } from '../../protocol.js';
import { percent, whole } from '../format.js';
import { best } from './gallery.js';
import { type Shown, Thumbnail } from './pictures.js';
import { Weights } from './weights.js';

export interface AnswerProps {
  readonly shown: Shown;
  readonly pixels: ScenePixels | undefined;
  readonly answer: PictureAnswer | undefined;
  readonly classes: readonly string[];
  readonly prompts: PromptsReport | undefined;
  /** What each learned token began as; undefined until that is known. */
  readonly tokens: readonly string[] | undefined;
  /** Whether the model knows pictures like this one. */
  readonly familiar: boolean;
}

export function Answer({ shown, pixels, answer, classes, prompts, tokens, familiar }: AnswerProps) {
  const said = answer && best(answer, classes);
  const verdict = said && (familiar ? `${said.word} ${percent(said.probability)}` : `${said.word}?`);
  return (
    <section class="answer" aria-labelledby="answer-title">
      <div class="answer-head">
        <Thumbnail shown={shown} pixels={pixels} />
        <div>
          <p class="kicker">{shown.name}</p>
          <h2 id="answer-title" aria-live="polite">
            {verdict ?? (answer ? 'Cannot be read' : '…')}
          </h2>
          {shown.truth !== null && <p class="muted">Drawn as {shown.truth}.</p>}
          {answer && 'refused' in answer && <p class="error">{answer.refused}</p>}
          {answer && !('refused' in answer) && answer.tuned && (
            <p>
              <a href="#how">See how this answer is computed</a>
            </p>
          )}
        </div>
      </div>
      {answer && !('refused' in answer) && (
        <>
          {!familiar && (
            <p class="notice" role="note">
              The built-in model has learned from drawn scenes only, so its answer for a photograph means little. For
              photographs, open a real CLIP under <em>Own model</em>.
            </p>
          )}
          <Probabilities answer={answer} classes={classes} />
          {prompts && answer.tuned && (
            <Weights name={shown.name} prompts={prompts} weights={answer.tuned.weights} tokens={tokens} />
          )}
        </>
      )}
    </section>
  );
}

function Probabilities({ answer, classes }: { readonly answer: PictureRead; readonly classes: readonly string[] }) {
  const { tuned, zeroShot } = answer;
  const shown = tuned?.probabilities ?? zeroShot;
  return (
    <table class="probabilities">
      <caption>
        {classes.length > MOST_SHOWN
          ? `The ${MOST_SHOWN} most probable of ${whole(classes.length)} classes`
          : 'Probability of each class'}
        {tuned && (
          <span class="legend">
            <span class="key first">tuned</span>
            <span class="key before">zero-shot: without tuning</span>
          </span>
        )}
      </caption>
      <thead>
        <tr>
          <th scope="col">class</th>
          <td />
          {tuned && <th scope="col">tuned</th>}
          <th scope="col">zero-shot</th>
        </tr>
      </thead>
      <tbody>
        {placesShown(shown).map((c) => (
          <tr key={c}>
            <th scope="row">{classes[c]}</th>
            <td aria-hidden="true">
              <span class="bar" style={{ width: `${100 * shown[c]!}%` }} />
              {tuned && <span class="bar before" style={{ width: `${100 * zeroShot[c]!}%` }} />}
            </td>
            {tuned && <td data-tuned={tuned.probabilities[c]}>{percent(tuned.probabilities[c]!)}</td>}
            <td data-zero-shot={zeroShot[c]}>{percent(zeroShot[c]!)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
