/** Cosines or weights by class and token: shaded cells, each a button. Arrow keys go from cell to cell, so that the matrix is one tab stop. */
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { STRONG_SHADE } from '../../../src/report/drawing.js';
import { type Cell, fixed, type MatrixStep, type Steps } from './steps.js';
import './matrix.css';

export interface MatrixProps {
  readonly step: MatrixStep;
  readonly steps: Steps;
  /** As the picture really is, if `steps` is a change of it. */
  readonly before: Steps | undefined;
  readonly selected: Cell;
  readonly onSelect: (cell: Cell) => void;
}

/** More tokens than this are drawn in narrower cells, with numbers that are written shorter. */
export const FEW_TOKENS = 5;
/** More than this without digits: a cell says its number when it is opened, and the table below has all. */
const MANY_TOKENS = 10;

const NAMES = { cosine: 'Cosine', weight: 'Weight' } as const;

export function Matrix({ step, steps, before, selected, onSelect }: MatrixProps) {
  const group = useRef<HTMLFieldSetElement>(null);
  const numbers = steps.matrix(step)!;
  const { prompts, tokens } = steps;
  // A token at right angles to the picture has no colour: the scale diverges from there.
  const middle = step === 'weight' && steps.answer.options.weight === 'half' ? 0.5 : 0;
  const furthest = (from: ArrayLike<number>) =>
    Array.from(from).reduce((most, x) => Math.max(most, Math.abs(x - middle)), 1e-9);
  // The shades of a change are those of the picture as it is, so that weights near the middle stay pale.
  const was = before?.answer.options.weight === steps.answer.options.weight ? before.matrix(step) : undefined;
  const largest = Math.max(furthest(numbers), furthest(was ?? []));
  const own = selected.step === step ? selected : undefined;
  const stop = own ? own.row * tokens + own.token : 0;
  const move = (event: JSX.TargetedKeyboardEvent<HTMLFieldSetElement>) => {
    const cells = [...event.currentTarget.querySelectorAll('button')];
    const at = cells.indexOf(document.activeElement as HTMLButtonElement);
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: tokens, ArrowUp: -tokens }[event.key];
    if (at < 0 || step === undefined) return;
    event.preventDefault();
    const next = cells[at + step];
    next?.focus();
    next?.click();
  };
  return (
    <fieldset ref={group} class="matrix" data-step={step} data-rows={prompts} onKeyDown={move}>
      <legend class="hidden-text">{NAMES[step]} of each learned token</legend>
      <div class="matrix-cells" style={{ '--columns': tokens }}>
        {Array.from(numbers, (value, at) => {
          const [row, token] = [Math.floor(at / tokens), at % tokens];
          const shade = Math.abs(value - middle) / largest;
          return (
            <button
              key={at}
              type="button"
              class={`cell ${value < middle ? 'below' : 'above'}${shade >= STRONG_SHADE ? ' strong' : ''}`}
              style={{ '--shade': `${(100 * shade).toFixed(1)}%` }}
              aria-pressed={own?.row === row && own.token === token}
              tabIndex={at === stop ? 0 : -1}
              data-value={value}
              onClick={() => onSelect({ step, row, token })}
            >
              <span class="hidden-text">
                {NAMES[step]} of {steps.nameOf(row, token)}: {tokens > MANY_TOKENS && fixed(value)}
              </span>
              {tokens <= FEW_TOKENS ? fixed(value, 2) : tokens <= MANY_TOKENS ? short(value) : ''}
            </button>
          );
        })}
      </div>
      <ol class="token-labels" style={{ '--columns': tokens }} aria-hidden="true">
        {steps.tokenNames.map((name, j) => (
          <li key={j}>{name}</li>
        ))}
      </ol>
      <p class="scale">
        <span>{fixed(middle - largest, 2)}</span>
        <span class="scale-bar" />
        <span>{fixed(middle + largest, 2)}</span>
      </p>
    </fieldset>
  );
}

/** `.52`, `−.04` */
const short = (value: number) => fixed(value, 2).replace(/0\./, '.');
