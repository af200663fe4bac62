/** Counterfactuals: other weights, another mode, another preset; and what they would change. */
import {
  MODES,
  type Mode,
  optionText,
  type Preset,
  TUNING_FIELDS,
  type TuningOptions,
} from '../../../src/ptdpc/options.js';
import { percent } from '../format.js';
import type { Shown } from '../predict/pictures.js';
import type { Steps } from './steps.js';
import { MODES as MODE_TEXTS } from './story.js';
import { type Change, isChanged, NO_CHANGE } from './use-steps.js';

export interface WhatIfProps {
  /** Of the run. */
  readonly options: TuningOptions;
  readonly change: Change;
  readonly onChange: (change: Change) => void;
  readonly shown: Shown;
  readonly pictures: readonly Shown[];
  readonly other: Shown;
  readonly onOther: (id: string) => void;
}

const PRESET_NAMES: Readonly<Record<Preset, string>> = {
  paper: 'paper: w = cos',
  official: 'official: w = (cos + 1) / 2',
};

export function WhatIfControls({ options, change, onChange, shown, pictures, other, onOther }: WhatIfProps) {
  const mode = change.mode ?? options.mode;
  const weighted = mode === 'both' || mode === 'is';
  const modeNames = optionText(TUNING_FIELDS.mode).choices!;
  return (
    <fieldset class="what-if">
      <legend>What if …</legend>
      <p class="field">
        <label for="how-weights">Weights</label>
        <select
          id="how-weights"
          value={weighted ? change.weights : 'own'}
          disabled={!weighted}
          onChange={({ currentTarget }) =>
            onChange({ ...change, weights: currentTarget.value as Change['weights'], set: [] })
          }
        >
          <option value="own">this picture’s own</option>
          <option value="equal">all equal, their mean</option>
          <option value="picture">of another picture</option>
        </select>
        {weighted && change.weights === 'picture' && (
          <select
            aria-label="Other picture"
            value={other.id}
            onChange={({ currentTarget }) => onOther(currentTarget.value)}
          >
            {pictures
              .filter(({ id }) => id !== shown.id)
              .map((picture) => (
                <option key={picture.id} value={picture.id}>
                  {titleOf(picture)}
                </option>
              ))}
          </select>
        )}
      </p>
      <p class="field">
        <label for="how-mode">Mode</label>
        <select
          id="how-mode"
          value={mode}
          onChange={({ currentTarget }) => onChange(withMode(change, currentTarget.value as Mode, options.mode))}
        >
          {MODES.map((name) => (
            <option key={name} value={name}>
              {name}: {modeNames[name]}
            </option>
          ))}
        </select>
      </p>
      <p class="field">
        <label for="how-preset">Preset</label>
        <select
          id="how-preset"
          value={change.preset ?? options.preset}
          onChange={({ currentTarget }) => onChange(withPreset(change, currentTarget.value as Preset, options.preset))}
        >
          {Object.entries(PRESET_NAMES).map(([name, text]) => (
            <option key={name} value={name}>
              {text}
            </option>
          ))}
        </select>
      </p>
      <button type="button" disabled={!isChanged(change)} onClick={() => onChange(NO_CHANGE)}>
        Reset
      </button>
    </fieldset>
  );
}

export const titleOf = ({ name, truth }: Shown) => (truth === null ? name : `${name}, ${truth}`);

function withMode({ mode: _, ...rest }: Change, mode: Mode, own: Mode): Change {
  return { ...rest, ...(mode !== own && { mode }), set: [] };
}

function withPreset({ preset: _, ...rest }: Change, preset: Preset, own: Preset): Change {
  return { ...rest, ...(preset !== own && { preset }), set: [] };
}

/** A change of probabilities that is called little. */
const LITTLE = 0.01;

export interface OutcomeProps {
  readonly real: Steps;
  readonly now: Steps;
  readonly change: Change;
  /** While `now` is still another change's. */
  readonly stale: boolean;
}

/** The difference in a sentence. */
export function Outcome({ real, now, change, stale }: OutcomeProps) {
  const said = (steps: Steps) => `${steps.classes[steps.best]} ${percent(steps.answer.probabilities[steps.best]!)}`;
  if (!isChanged(change))
    return (
      <p class="outcome" role="status">
        The answer is <strong>{said(real)}</strong>. Click any number below to see how it is computed; a weight can be
        set too.
      </p>
    );
  const { place, by } = largestChange(real, now);
  return (
    <p class="outcome" role="status">
      The answer would be <strong>{said(now)}</strong>; without the change, {said(real)}.{' '}
      {place !== undefined && Math.abs(by) >= 0.0005
        ? `Most changed: ${now.classes[place]}, ${by > 0 ? '+' : '−'}${(100 * Math.abs(by)).toFixed(1)} points.`
        : 'No probability changes by a tenth of a point.'}
      {!stale &&
        change.weights !== 'own' &&
        !change.mode &&
        !change.preset &&
        Math.abs(by) < LITTLE &&
        ' So this picture’s own weights matter little in this run.'}
    </p>
  );
}

function largestChange(real: Steps, now: Steps): { place: number | undefined; by: number } {
  let place: number | undefined;
  let by = 0;
  now.answer.places.forEach((c, row) => {
    const was = real.answer.probabilities[real.answer.places.indexOf(c)];
    if (was === undefined) return;
    const change = now.answer.probabilities[row]! - was;
    if (Math.abs(change) > Math.abs(by)) [place, by] = [row, change];
  });
  return { place, by };
}

/** What another mode or preset makes of tokens that were tuned for this one. */
export function ChangeNote({ options, change }: Pick<WhatIfProps, 'options' | 'change'>) {
  const { mode, preset } = change;
  if (mode === undefined && preset === undefined) return null;
  const perClass = (one: Mode) => one === 'both' || one === 'cs';
  return (
    <p class="note">
      {mode !== undefined && (
        <>
          Mode <em>{mode}</em>: {MODE_TEXTS[mode]}{' '}
        </>
      )}
      {preset !== undefined && `Preset ${preset}: as in ${preset === 'paper' ? 'the paper' : 'its authors’ code'}. `}
      The tokens are those of this run, tuned in mode <em>{options.mode}</em> with preset <em>{options.preset}</em>, and
      not tuned anew
      {mode !== undefined &&
        perClass(options.mode) &&
        !perClass(mode) &&
        '; the one shared prompt is the mean of the classes’'}
      {mode !== undefined && !perClass(options.mode) && perClass(mode) && '; every class gets the shared prompt'}
      {preset === 'paper' && options.learnSot && '; the start token that was learned gives way to the frozen one'}
      {preset === 'official' && !options.learnSot && '; the frozen start token is composed as if it had been learned'}.
    </p>
  );
}
