/** What is opened: a number's formula with its numbers, the kernel behind it, and one lane of that kernel. */
import { useEffect, useRef } from 'preact/hooks';
import { DataTable } from '../data-table.js';
import { formulaOf, type Lane } from './formulas.js';
import { type Cell, fixed, type Steps } from './steps.js';

export interface DetailsProps {
  readonly cell: Cell;
  readonly steps: Steps;
  /** Which number of a token's vector, from 0. */
  readonly element: number;
  readonly onElement: (element: number) => void;
  /** The weight that was set by hand at the cell; undefined if none was. */
  readonly set: number | undefined;
  /** Sets the weight of the cell; undefined: back to its own. */
  readonly onSet: (value: number | undefined) => void;
  /** Whether it was asked for: on a narrow window it then lies over the lower edge, since the number may be far above. */
  readonly open: boolean;
  readonly onClose: () => void;
  /** Whether the page computes on the CPU, which has no lanes. */
  readonly onCpu: boolean;
}

export function Details({ cell, steps, element, onElement, set, onSet, open, onClose, onCpu }: DetailsProps) {
  const { title, what, lines, kernels, note, lane } = formulaOf(cell, steps, element);
  const formula = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // No further than the formula, so that the number that was opened stays in view.
    if (open) formula.current?.scrollIntoView({ block: 'nearest' });
  }, [open, cell.step, 'row' in cell && cell.row, 'token' in cell && cell.token]);
  return (
    <section class={`details${open ? ' open' : ''}`} aria-labelledby="how-details">
      {open && (
        <button type="button" class="quiet details-close" onClick={onClose}>
          Close
        </button>
      )}
      <div class="details-formula" ref={formula}>
        <h2 id="how-details" aria-live="polite">
          {title}
        </h2>
        <p>{what}</p>
        <div class="formula-lines">
          {lines.map((line) => (
            <code key={line}>{line}</code>
          ))}
        </div>
        {cell.step === 'weight' && <Slider value={set ?? valueAt(cell, steps)} set={set} onSet={onSet} />}
        {cell.step === 'prompt' && steps.composes && (
          <p class="field">
            <label for="how-element">Element</label>
            <input
              id="how-element"
              type="number"
              min={1}
              max={steps.width}
              value={Math.min(element, steps.width - 1) + 1}
              onInput={({ currentTarget: { valueAsNumber } }) => {
                if (valueAsNumber >= 1 && valueAsNumber <= steps.width) onElement(Math.floor(valueAsNumber) - 1);
              }}
            />
            <small class="muted">of {steps.width}</small>
          </p>
        )}
      </div>
      <div class="details-kernel">
        <h3>Which kernel computes this</h3>
        {kernels.map(({ name, formula, page }) => (
          <p key={name} class="kernel-line">
            <code>
              <strong>{name}</strong>: {formula}
            </code>
            <span>
              <a href={`#laboratory/${name}`}>Open {name} in the laboratory</a>{' '}
              <small class="muted">
                explained in <code>{page}</code>
              </small>
            </span>
          </p>
        ))}
        {note && <p class="note">{note}</p>}
        {lane && <OneLane lane={lane} onCpu={onCpu} />}
      </div>
    </section>
  );
}

function valueAt(cell: Cell & { readonly step: 'cosine' | 'weight' }, steps: Steps): number {
  return steps.answer.weights![cell.row * steps.tokens + cell.token]!;
}

interface SliderProps {
  readonly value: number;
  readonly set: number | undefined;
  readonly onSet: (value: number | undefined) => void;
}

function Slider({ value, set, onSet }: SliderProps) {
  return (
    <p class="field slider">
      <label for="how-weight">Set it to</label>
      <input
        id="how-weight"
        type="range"
        min={-1}
        max={1}
        step={0.01}
        value={value}
        onInput={({ currentTarget }) => onSet(currentTarget.valueAsNumber)}
      />
      <output for="how-weight">{fixed(value, 2)}</output>
      <button type="button" class="quiet" disabled={set === undefined} onClick={() => onSet(undefined)}>
        Undo
      </button>
    </p>
  );
}

function OneLane({ lane, onCpu }: { readonly lane: Lane; readonly onCpu: boolean }) {
  const { where, head, rows, rest, last } = lane;
  const skipped = rest === null ? [] : [['…', rest, ...head.slice(2).map(() => '')]];
  return (
    <>
      <h3>One lane of it</h3>
      <p class="note">
        {where}
        {onCpu && ' This page computes on the CPU now, where a loop adds the same products.'}
      </p>
      <DataTable label="The steps of one lane" head={head} rows={[...rows, ...skipped, last]} />
    </>
  );
}
