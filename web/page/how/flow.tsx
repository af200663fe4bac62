/** The whole way as one drawing, from the picture to the probabilities: columns on a wide window, one below the other on a narrow one. */
import type { ComponentChildren } from 'preact';
import type { ScenePixels } from '../../protocol.js';
import { percent, points, whole } from '../format.js';
import { type Shown, Thumbnail } from '../predict/pictures.js';
import { FEW_TOKENS, Matrix } from './matrix.js';
import { Ribbons } from './ribbons.js';
import { type Cell, fixed, type Steps, sameCell } from './steps.js';
import { largestOf, Strip } from './strip.js';
import './flow.css';

export interface FlowProps {
  readonly steps: Steps;
  /** As the picture really is; undefined if that is what `steps` shows. */
  readonly before: Steps | undefined;
  readonly shown: Shown;
  readonly pixels: ScenePixels | undefined;
  readonly selected: Cell;
  readonly onSelect: (cell: Cell) => void;
}

const FEATURE_BARS = 64;
const TOKEN_BARS = 32;

export function Flow(props: FlowProps) {
  const { steps } = props;
  const { classes, prompts, composes } = steps;
  return (
    <div
      class="flow"
      style={{ '--rows': classes.length }}
      data-mode={steps.answer.options.mode}
      data-many={steps.tokens > FEW_TOKENS}
    >
      <PictureStep {...props} />
      <Step title="Cosines" formula={composes ? 'cos(f, p[i][j])' : 'none'} name="cosines">
        {composes ? (
          <LabelledMatrix {...props} step="cosine" />
        ) : (
          <Absent>Mode {steps.answer.options.mode} does not compare the picture with the tokens.</Absent>
        )}
      </Step>
      <Step
        title="Weights"
        formula={!composes ? 'none' : steps.answer.options.weight === 'half' ? '(cos + 1) / 2' : 'w = cos'}
        name="weights"
      >
        {composes ? <LabelledMatrix {...props} step="weight" /> : <Absent>So there are no weights.</Absent>}
      </Step>
      <PromptStep {...props} />
      <Step title="Text tower" formula="frozen" name="tower">
        <TextRows {...props} />
      </Step>
      <Step title="Logits" formula="scale × cos" name="logits">
        <LogitRows {...props} />
      </Step>
      <Step title="Probabilities" formula={props.before ? '○ as it is → ● what if' : 'softmax'} name="probabilities">
        <ProbabilityRows {...props} />
      </Step>
      {steps.answer.classCount > classes.length && (
        <p class="note flow-note">
          Drawn: the {classes.length} most probable of {whole(steps.answer.classCount)} classes
          {prompts > 1 && composes && '; all of them go into the sum'}.
        </p>
      )}
    </div>
  );
}

interface StepProps {
  readonly title: string;
  readonly formula: string;
  readonly name: string;
  readonly children: ComponentChildren;
}

function Step({ title, formula, name, children }: StepProps) {
  return (
    <div class={`step step-${name}`}>
      <h3>{title}</h3>
      <p class="step-formula">
        <code>{formula}</code>
      </p>
      <div class="step-body">{children}</div>
    </div>
  );
}

const Absent = ({ children }: { readonly children: ComponentChildren }) => <p class="note absent-step">{children}</p>;

function PictureStep({ steps, shown, pixels, selected, onSelect }: FlowProps) {
  const { feature } = steps.answer;
  return (
    <Step title="Picture" formula="f, length 1" name="picture">
      <Thumbnail shown={shown} pixels={pixels} />
      <p class="note">{shown.truth === null ? shown.name : `${shown.name}, drawn as ${shown.truth}`}</p>
      <button
        type="button"
        class="vector"
        aria-pressed={selected.step === 'feature'}
        onClick={() => onSelect({ step: 'feature' })}
      >
        <Strip vector={feature} count={FEATURE_BARS} largest={largestOf([feature], FEATURE_BARS)} />
        <span class="vector-name">
          <span class="hidden-text">Feature </span>f, {steps.width} numbers
        </span>
      </button>
    </Step>
  );
}

function LabelledMatrix({
  step,
  steps,
  before,
  selected,
  onSelect,
}: FlowProps & { readonly step: 'cosine' | 'weight' }) {
  return (
    <div class="labelled">
      <ul class="row-labels" data-rows={steps.prompts} aria-hidden="true">
        {steps.promptNames.map((name) => (
          <li key={name}>{name}</li>
        ))}
      </ul>
      <Matrix {...{ step, steps, before, selected, onSelect }} />
    </div>
  );
}

function PromptStep({ steps, selected, onSelect }: FlowProps) {
  const rows = steps.oneText ? 1 : steps.classes.length;
  const chosen = 'token' in selected ? selected.token : undefined;
  const tokens = Array.from({ length: steps.tokens }, (_, token) => token);
  const vectors = Array.from({ length: rows }, (_, row) => tokens.map((token) => steps.read(row, token)));
  const largest = largestOf(vectors.flat(), TOKEN_BARS);
  const composed = steps.composes;
  const stops = rows === 1 ? tokens : [0];
  return (
    <Step
      title={composed ? 'Composed prompt' : 'Prompt'}
      formula={composed ? 'pd[j] = Σ w[i][j] p[i][j]' : rows === 1 ? 'p, for all classes' : 'p[i] for class i'}
      name="prompt"
    >
      {composed && (
        <ul class="row-labels" data-rows={steps.prompts} aria-hidden="true">
          {steps.promptNames.map((name) => (
            <li key={name}>{name}</li>
          ))}
        </ul>
      )}
      {composed && <Ribbons steps={steps} token={chosen} />}
      <div class="prompt-tokens">
        {vectors.flatMap((own, row) =>
          stops.map((token) => {
            const cell: Cell = { step: 'prompt', row, token };
            return (
              <button
                key={`${row} ${token}`}
                type="button"
                class="vector"
                aria-pressed={
                  sameCell(selected, cell) || (rows > 1 && selected.step === 'prompt' && selected.row === row)
                }
                onClick={() => onSelect(cell)}
              >
                <Strip vector={own[token]!} count={TOKEN_BARS} largest={largest} />
                <span class="vector-name">
                  <span class="hidden-text">{rows === 1 ? 'Token ' : 'Prompt of '}</span>
                  {rows === 1 ? `${token + 1} ${steps.tokenNames[token]}` : steps.classes[row]}
                  {rows === 1 && <span class="hidden-text"> of the {composed && 'composed '}prompt</span>}
                </span>
              </button>
            );
          }),
        )}
      </div>
    </Step>
  );
}

interface RowsProps extends FlowProps {
  readonly step: 'text' | 'logit' | 'probability';
  readonly children: (row: number) => {
    readonly value: number;
    readonly shown: ComponentChildren;
  };
}

/** A button for each class. */
function Rows({ steps, selected, onSelect, step, children }: RowsProps) {
  return (
    <ul class="class-rows">
      {steps.classes.map((word, row) => {
        const { value, shown } = children(row);
        const cell: Cell = { step, row };
        return (
          <li key={word}>
            <button
              type="button"
              aria-pressed={sameCell(selected, cell)}
              data-value={value}
              onClick={() => onSelect(cell)}
            >
              {shown}
            </button>
          </li>
        );
      })}
    </ul>
  );
}

function TextRows(props: FlowProps) {
  const { steps } = props;
  return (
    <Rows {...props} step="text">
      {(row) => ({
        value: steps.answer.logits[row]! / steps.answer.logitScale,
        shown: (
          <span class="text-row">
            <span class="hidden-text">Text of </span>
            {steps.classes[row]}
          </span>
        ),
      })}
    </Rows>
  );
}

function LogitRows(props: FlowProps) {
  const { logits } = props.steps.answer;
  return (
    <Rows {...props} step="logit">
      {(row) => ({
        value: logits[row]!,
        shown: (
          <span class="number">
            <span class="hidden-text">Logit of {props.steps.classes[row]}: </span>
            {fixed(logits[row]!, 2)}
          </span>
        ),
      })}
    </Rows>
  );
}

function ProbabilityRows(props: FlowProps) {
  const { steps, before } = props;
  return (
    <Rows {...props} step="probability">
      {(row) => {
        const value = steps.answer.probabilities[row]!;
        const was = before?.answer.probabilities[before.answer.places.indexOf(steps.answer.places[row]!)];
        const word = steps.classes[row]!;
        return {
          value,
          shown: (
            <>
              <span class="share">
                {was === undefined ? (
                  <span class="share-bar" style={{ width: `${100 * value}%` }} />
                ) : (
                  <>
                    <span
                      class="share-line"
                      style={{ left: `${100 * Math.min(was, value)}%`, width: `${100 * Math.abs(was - value)}%` }}
                    />
                    <span class="share-dot was" style={{ left: `${100 * was}%` }} />
                    <span class="share-dot" style={{ left: `${100 * value}%` }} />
                  </>
                )}
              </span>
              <span class="share-row">
                <span class={row === steps.best ? 'share-word best' : 'share-word'}>
                  <span class="hidden-text">Probability of </span>
                  {word}
                </span>
                <span class="number">
                  {was !== undefined && <span class="was-number">{points(was, 1)} → </span>}
                  {percent(value)}
                </span>
              </span>
            </>
          ),
        };
      }}
    </Rows>
  );
}
