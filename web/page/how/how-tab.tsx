/** How it works: Equation 3 on the chosen picture, with every number to be opened and changed. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { isPtDpc } from '../../../src/learners/prompts/index.js';
import type { TuningOptions } from '../../../src/ptdpc/index.js';
import type { PromptsReport, WeightSet } from '../../protocol.js';
import { useChosen } from '../chosen.js';
import { DataTable } from '../data-table.js';
import { useEngine } from '../engine-state.js';
import { titleOfLearner } from '../format.js';
import { Thumbnail } from '../predict/pictures.js';
import { TaskLine } from '../task-line.js';
import { Details } from './details.js';
import { Flow } from './flow.js';
import { type Cell, fittingCell, fixed, type Steps } from './steps.js';
import { PromptsSelect, Story } from './story.js';
import { type Change, isChanged, NO_CHANGE, useSteps } from './use-steps.js';
import { ChangeNote, Outcome, titleOf, WhatIfControls } from './what-if.js';
import './how.css';

export function HowTab() {
  const { opened } = useEngine();
  const { prompts } = useChosen();
  if (!opened) return <p class="lead">Opening a device …</p>;
  if (!prompts)
    return (
      <p class="lead">
        There are no learned prompts for this model yet. Tune some under <a href="#tune">Tune</a>, or open a file of
        prompts under <a href="#predict">Predict</a>; then every step from a picture to its answer is shown here.
      </p>
    );
  return isPtDpc(prompts.options) ? <Explained options={prompts.options} /> : <OtherLearner prompts={prompts} />;
}

/** Equation 3 is PT-DPC's alone. */
function OtherLearner({ prompts }: { readonly prompts: PromptsReport }) {
  const { fitting, choosePrompts } = useChosen();
  return (
    <>
      <p class="lead">
        The chosen prompts were learned by {titleOfLearner(prompts.options)}, which composes no prompt for each picture
        as PT-DPC does (Equation 3). Choose prompts of PT-DPC to see every step; <a href="#predict">Predict</a> works
        with either.
      </p>
      <PromptsSelect fitting={fitting} prompts={prompts} onPrompts={choosePrompts} />
    </>
  );
}

function Explained({ options }: { readonly options: TuningOptions }) {
  const { opened: engine } = useEngine();
  const { pictures, pixels, shown, select, fitting, prompts, choosePrompts } = useChosen();
  const [change, setChange] = useState<Change>(NO_CHANGE);
  const [otherId, setOther] = useState<string>();
  const [opened, setOpened] = useState<Cell>();
  const [open, setOpen] = useState(false);
  const [element, setElement] = useState(0);
  const root = useRef<HTMLDivElement>(null);
  const visible = useVisible(root);
  const others = pictures.filter(({ id }) => id !== shown.id);
  const other = others.find(({ id }) => id === otherId) ?? others[0] ?? shown;
  const { real, now, stale, task } = useSteps(shown, other, prompts, change, visible);
  const changed = isChanged(change);
  const choose = (id: string) => {
    choosePrompts(id);
    setChange(NO_CHANGE);
  };
  const cell = useMemo(
    () => now && fittingCell(opened ?? { step: 'weight', row: now.best, token: 0 }, now),
    [opened, now],
  );
  const place = cell && now && placeOf(cell, now);
  const set = place && change.set.find(({ prompt, token }) => prompt === place.prompt && token === place.token);
  const onSet = (value: number | undefined) => {
    if (!place) return;
    const rest = change.set.filter((one) => one !== set);
    setChange({ ...change, set: value === undefined ? rest : [...rest, { ...place, value }] });
  };
  return (
    <div class="how" ref={root}>
      <Story steps={real} fitting={fitting} prompts={prompts!} onPrompts={choose} />
      <div class="how-choose">
        <PromptsSelect fitting={fitting} prompts={prompts!} onPrompts={choose} />
        <ul class="how-pictures" aria-label="Pictures">
          {pictures.map((picture) => (
            <li key={picture.id}>
              <button
                type="button"
                aria-pressed={picture.id === shown.id}
                aria-label={titleOf(picture)}
                title={titleOf(picture)}
                onClick={() => select(picture.id)}
              >
                <Thumbnail shown={picture} pixels={pixels.get(picture.id)} />
              </button>
            </li>
          ))}
        </ul>
      </div>
      <WhatIfControls
        {...{ change, shown, pictures, other }}
        options={options}
        onChange={setChange}
        onOther={setOther}
      />
      <ChangeNote options={options} change={change} />
      {real && now && cell ? (
        <div class="how-steps" aria-busy={stale} data-stale={stale}>
          <h2 class="hidden-text">From the picture to the probabilities</h2>
          <Outcome {...{ real, now, change, stale }} />
          <Flow
            steps={now}
            before={changed ? real : undefined}
            {...{ shown }}
            pixels={pixels.get(shown.id)}
            selected={cell}
            onSelect={(next) => {
              setOpened(next);
              setOpen(true);
            }}
          />
          <Details
            {...{ cell, element, onSet }}
            steps={now}
            onElement={setElement}
            set={set?.value}
            open={open}
            onClose={() => setOpen(false)}
            onCpu={engine?.device.kind === 'cpu'}
          />
          <AllNumbers steps={now} />
        </div>
      ) : (
        <div class="how-steps waiting" />
      )}
      <TaskLine task={task} />
    </div>
  );
}

/** A weight's place among those of all classes; undefined for another cell. */
function placeOf(cell: Cell, steps: Steps): Omit<WeightSet, 'value'> | undefined {
  if (cell.step !== 'weight') return undefined;
  return { prompt: steps.prompts === 1 ? 0 : steps.answer.places[cell.row]!, token: cell.token };
}

function AllNumbers({ steps }: { readonly steps: Steps }) {
  const { prompts, tokens, tokenNames, promptNames, classes, answer } = steps;
  const matrices = (['cosine', 'weight'] as const).flatMap((step) => {
    const numbers = steps.matrix(step);
    return numbers ? [{ step, numbers }] : [];
  });
  return (
    <details>
      <summary>All numbers</summary>
      {matrices.map(({ step, numbers }) => (
        <DataTable
          key={step}
          label={`${step === 'cosine' ? 'Cosines' : 'Weights'} by class and token`}
          head={[step === 'cosine' ? 'cosine' : 'weight', ...tokenNames.map((name, j) => `${j + 1} ${name}`)]}
          rows={Array.from({ length: prompts }, (_, row) => [
            promptNames[row],
            ...Array.from(numbers.subarray(row * tokens, (row + 1) * tokens), (x) => fixed(x)),
          ])}
        />
      ))}
      <DataTable
        label="Classes"
        head={['class', 'cos(f, text)', 'logit', 'probability']}
        rows={classes.map((word, c) => [
          word,
          fixed(answer.logits[c]! / answer.logitScale),
          fixed(answer.logits[c]!),
          fixed(answer.probabilities[c]!),
        ])}
      />
    </details>
  );
}

/** Whether an element is on the page for the eye: its tab is the one that is looked at. */
function useVisible(element: { readonly current: HTMLElement | null }): boolean {
  const [visible, setVisible] = useState(false);
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => setVisible(entries.at(-1)!.isIntersecting));
    if (element.current) observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);
  return visible;
}
