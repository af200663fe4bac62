/** What the weights do and why the classes' tokens must differ, in a few sentences; and which of the two cases this run is. */
import { isPtDpc } from '../../../src/learners/prompts/index.js';
import type { TuningOptions } from '../../../src/ptdpc/index.js';
import type { PromptsReport } from '../../protocol.js';
import { promptsTitle, whole } from '../format.js';
import { dot, fixed, type Steps } from './steps.js';

export interface StoryProps {
  /** Of the picture as it is. */
  readonly steps: Steps | undefined;
  readonly fitting: readonly PromptsReport[];
  readonly prompts: PromptsReport;
  readonly onPrompts: (id: string) => void;
}

export function Story({ steps, fitting, prompts, onPrompts }: StoryProps) {
  return (
    <div class="story">
      <p>
        CLIP turns a picture into a vector, its feature f, and each text, such as “a photo of awe”, into another; the
        text nearest in direction gives the answer. CLIP stays frozen: only the words before the class word are learned,
        as vectors, for each class <i>i</i> a few tokens p[i][j]. <strong>The weights</strong>, from the cosines of f
        and the tokens, say how much of each this picture takes. The weighted sum over all classes is one prompt,
        composed for this picture and put before every class word.
      </p>
      <p>
        <strong>Why the classes’ tokens must differ</strong>: equal tokens get equal weights, so their sum is one token
        times a number, and that number is all that a picture can change. Only tokens that differ can be mixed
        differently for every picture. They start from the same words, and the sum treats all classes alike: without
        random noise at the start they get equal gradients and stay equal.
      </p>
      <div class="story-run" role="note">
        {steps ? <ThisRun {...{ steps, fitting, prompts, onPrompts }} /> : <p>…</p>}
      </div>
    </div>
  );
}

function ThisRun({ steps, fitting, prompts, onPrompts }: StoryProps & { readonly steps: Steps }) {
  const { mode, weight } = steps.answer.options;
  const see = (text: string, wanted: (options: TuningOptions) => boolean) => {
    const found = fitting.find(
      ({ id, options }) => id !== prompts.id && isPtDpc(options) && options.mode === 'both' && wanted(options),
    );
    return (
      found && (
        <button type="button" class="quiet" onClick={() => onPrompts(found.id)}>
          {text}
        </button>
      )
    );
  };
  const seeDifferent = see('See a run whose tokens differ', differ);
  if (mode !== 'both')
    return (
      <p>
        <strong>This run</strong> is of mode {mode}: {MODES[mode]} {seeDifferent}
      </p>
    );
  const weights = steps.answer.weights!;
  if (steps.equal) {
    const sums = steps.tokenNames.map((_, token) => fixed(steps.weightSum(token), 2));
    return (
      <p>
        <strong>In this run they are equal</strong>: they started equal, without noise, and got equal gradients. So the{' '}
        {whole(steps.answer.classCount)} rows of weights are the same, and the composed prompt is each token times the
        sum of its weights, here {sums.join(', ')}; for another picture only these numbers change. Such a run may answer
        well all the same: its prompt is learned, but hardly composed for the picture. {seeDifferent}
      </p>
    );
  }
  const [least, most] = [weights.reduce((a, b) => Math.min(a, b)), weights.reduce((a, b) => Math.max(a, b))];
  return (
    <p>
      <strong>In this run they differ</strong>: cosines between them go down to {fixed(leastLikeness(steps), 2)}. This
      picture’s weights lie between {fixed(least, 3)} and {fixed(most, 3)}
      {weight === 'half' && ': (cos + 1) / 2 keeps them near one half, so pictures change the prompt little'}.{' '}
      {see('See a run whose tokens are equal', (options) => !differ(options))}
      {weight === 'half' &&
        see('See a run whose weights are the cosines', (options) => differ(options) && options.weight === 'cosine')}
    </p>
  );
}

/** What composes the prompt in each mode. */
export const MODES = {
  both: 'the tokens of all classes are mixed, with the picture’s own weights.',
  cs: 'each class is read with its own tokens, and the picture has no say in the prompt.',
  is: 'all classes share one set of tokens, so the picture can only make them longer or shorter.',
  none: 'one prompt, for all classes and all pictures.',
} as const;

/** Whether the classes' tokens began with noise, without which they stay equal. */
const differ = ({ initNoise }: TuningOptions) => initNoise > 0;

/** The smallest cosine between two classes' tokens at one place. */
function leastLikeness(steps: Steps): number {
  let least = 1;
  for (let token = 0; token < steps.tokens; token++) {
    const rows = Array.from({ length: steps.prompts }, (_, row) => {
      const p = steps.learned(row, token);
      const length = Math.sqrt(dot(p, p));
      return p.map((x) => x / length);
    });
    rows.forEach((a, i) => {
      for (const b of rows.slice(i + 1)) least = Math.min(least, dot(a, b));
    });
  }
  return least;
}

/** `official, both, 25 epochs (demo)`, to choose from. */
export function PromptsSelect({ fitting, prompts, onPrompts }: Omit<StoryProps, 'steps'>) {
  return (
    <p class="field">
      <label for="how-prompts">Run</label>
      <select id="how-prompts" value={prompts.id} onChange={({ currentTarget }) => onPrompts(currentTarget.value)}>
        {fitting.map((report) => (
          <option key={report.id} value={report.id}>
            {promptsTitle(report)}
          </option>
        ))}
      </select>
    </p>
  );
}
