/** A shipped kernel step by step: its text, what its lanes load and store, and what becomes of a sum. */
import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Step, StepTrace } from '../../../../src/lab/index.js';
import type { LabSteps } from '../../../protocol-lab.js';
import { lineOf } from '../../engine-client.js';
import { LabEngine } from '../lab-engine.js';
import { Code } from './code.js';
import { groupOf, laneOf, Touches } from './marks.js';
import { Pictures } from './pictures.js';
import { formulas, number, placeName, sentence } from './words.js';
import './stepper.css';

/** Of its own: it needs no device, and must not wait for a trial. */
const engine = new LabEngine();

/** Steps in a second. */
const SPEEDS = [1, 4, 16] as const;

type Group = readonly [x: number, y: number];

const FIRST_GROUP: Group = [0, 0];

export function Stepper() {
  const [name, setName] = useState<string>();
  const [group, setGroup] = useState<Group>(FIRST_GROUP);
  const [steps, setSteps] = useState<LabSteps>();
  const [failed, setFailed] = useState<string | null>(null);
  useEffect(() => {
    let isWanted = true;
    engine.run('lab-steps', { name, group }).then(
      (found) => isWanted && setSteps(found),
      (error) => isWanted && setFailed(lineOf(error)),
    );
    return () => {
      isWanted = false;
    };
  }, [name, group]);
  if (failed !== null) return <p class="error">{failed}</p>;
  if (!steps) return <p class="lead">Loading …</p>;
  const { names, trace } = steps;
  return (
    <>
      <p>
        The shipped WGSL, executed on a small case in lockstep: all lanes, which are the invocations of a workgroup,
        take a step before any takes the next. This needs no graphics device.
      </p>
      <p class="field">
        <label for="step-kernel">Step through</label>
        <select
          id="step-kernel"
          value={trace.of.name}
          onChange={({ currentTarget }) => {
            setGroup(FIRST_GROUP);
            setName(currentTarget.value);
          }}
        >
          {names.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
      </p>
      <Run key={trace.of.name} trace={trace} onGroup={setGroup} />
    </>
  );
}

interface RunProps {
  readonly trace: StepTrace;
  readonly onGroup: (group: Group) => void;
}

function Run({ trace, onGroup }: RunProps) {
  const { steps, lanes, grid, group } = trace;
  const [at, setAt] = useState(0);
  const [lane, setLane] = useState(0);
  const [isPlaying, setPlaying] = useState(false);
  const [speed, setSpeed] = useState<number>(SPEEDS[0]);
  /** A cell of another workgroup, whose lane is not known before that is recorded. */
  const [cell, setCell] = useState<number>();
  const last = steps.length - 1;
  useEffect(() => {
    if (!isPlaying) return;
    if (at >= last) {
      setPlaying(false);
      return;
    }
    const timer = setTimeout(() => setAt(at + 1), 1000 / speed);
    return () => clearTimeout(timer);
  }, [isPlaying, at, last, speed]);
  useEffect(() => {
    if (cell === undefined) return;
    const found = laneOf(trace, 'out', cell);
    if (found !== undefined) setLane(found);
    setCell(undefined);
  }, [trace]);
  const touches = useMemo(() => new Touches(trace, lane), [trace, lane]);
  const goTo = (step: number) => {
    setPlaying(false);
    setAt(Math.max(0, Math.min(last, step)));
  };
  const play = () => {
    if (!isPlaying && at >= last) setAt(0);
    setPlaying(!isPlaying);
  };
  const onCell = (row: number, column: number) => {
    const { stride } = trace.of.matrices.find(({ buffer }) => buffer === 'out')!;
    const word = row * stride + column;
    const found = laneOf(trace, 'out', word);
    if (found !== undefined) setLane(found);
    else {
      setCell(word);
      onGroup(groupOf(trace, row, column));
    }
  };
  const onKeyDown = (event: JSX.TargetedKeyboardEvent<HTMLElement>) => {
    const target = event.target as HTMLElement;
    if (target.matches('select, input') || event.ctrlKey || event.metaKey || event.altKey) return;
    const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (move !== undefined) goTo(at + move);
    else if (event.key === ' ' && !target.matches('button')) play();
    else return;
    event.preventDefault();
  };
  const step = steps[at]!;
  return (
    <section class="stepper" aria-label={`Steps of ${trace.of.name}`} onKeyDown={onKeyDown}>
      <div class="field step-controls">
        <button type="button" disabled={at === 0} onClick={() => goTo(at - 1)}>
          Back
        </button>
        <button type="button" class="main" onClick={play}>
          {isPlaying ? 'Pause' : 'Play'}
        </button>
        <button type="button" disabled={at === last} onClick={() => goTo(at + 1)}>
          Step
        </button>
        <input
          type="range"
          aria-label="Step"
          aria-valuetext={`step ${at + 1} of ${steps.length}`}
          min={0}
          max={last}
          value={at}
          onInput={({ currentTarget }) => goTo(Number(currentTarget.value))}
        />
        <output>
          {at + 1} of {steps.length}
        </output>
        <Choice
          id="step-speed"
          label="Steps a second"
          value={speed}
          options={SPEEDS.map((one) => [one, String(one)])}
          onChange={setSpeed}
        />
        <Choice
          id="step-lane"
          label="Watch lane"
          value={lane}
          options={Array.from({ length: lanes }, (_, i) => [i, String(i)])}
          onChange={setLane}
        />
        {grid[0] * grid[1] > 1 && (
          <Choice
            id="step-group"
            label="of workgroup"
            value={group[1] * grid[0] + group[0]}
            options={Array.from({ length: grid[0] * grid[1] }, (_, i) => [i, groupName(i, grid)])}
            onChange={(chosen) => onGroup([chosen % grid[0], Math.floor(chosen / grid[0])])}
          />
        )}
      </div>
      <p class="step-said" role="status" aria-live={isPlaying ? 'off' : 'polite'}>
        {sentence(trace, step, lane)}
      </p>
      <div class="step-columns">
        <Code trace={trace} at={step.lines} />
        <div class="step-pictures">
          <Pictures {...{ trace, at, lane, touches, onLane: setLane, onCell }} />
          <Legend />
        </div>
        <div class="step-numbers">
          <Sums {...{ trace, at, lane }} />
          <Counters trace={trace} step={step} />
        </div>
      </div>
      <p class="note">
        Arrow keys step, space plays; a cell of <code>out</code> or a lane can be clicked to be watched. Lines marked
        “shipped” have smaller numbers here, so that a tile can be drawn; comments speak of the shipped ones.
        {trace.of.memories.length > 0 && ` Workgroup memory has ${lanes} banks here, one for each lane; a GPU has 32.`}
      </p>
    </section>
  );
}

function groupName(i: number, [width, height]: Group): string {
  return height === 1 ? String(i) : `${i % width}, ${Math.floor(i / width)}`;
}

interface ChoiceProps {
  readonly id: string;
  readonly label: string;
  readonly value: number;
  readonly options: readonly (readonly [value: number, text: string])[];
  readonly onChange: (value: number) => void;
}

function Choice({ id, label, value, options, onChange }: ChoiceProps) {
  return (
    <span class="step-choice">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={({ currentTarget }) => onChange(Number(currentTarget.value))}>
        {options.map(([one, text]) => (
          <option key={one} value={one}>
            {text}
          </option>
        ))}
      </select>
    </span>
  );
}

function Legend() {
  const key = (mark: JSX.Element, text: string) => (
    <li>
      <svg width={16} height={16} viewBox="0 0 16 16" aria-hidden="true">
        {mark}
      </svg>
      {text}
    </li>
  );
  return (
    <ul class="step-legend">
      {key(<rect class="now load" x={2} y={2} width={12} height={12} />, 'loaded now')}
      {key(<circle class="now store" cx={8} cy={8} r={6} />, 'stored now')}
      {key(<rect class="mine" x={2} y={2} width={12} height={12} />, 'by the watched lane')}
      {key(<rect class="seen any" x={5} y={5} width={6} height={6} />, 'earlier')}
      {key(<rect class="seen own" x={5} y={5} width={6} height={6} />, 'earlier, by it')}
      {key(<path class="due" d="M5 5l6 6M11 5l-6 6" />, 'later, by it')}
      {key(<rect class="tile" x={2} y={2} width={12} height={12} />, "the workgroup's part")}
    </ul>
  );
}

interface SumsProps {
  readonly trace: StepTrace;
  readonly at: number;
  readonly lane: number;
}

/** The lane's latest sum as a formula, and the last value that it loaded or stored. */
function Sums({ trace, at, lane }: SumsProps) {
  const done = trace.steps.slice(0, at + 1);
  const sum = done.findLast(({ kind, lanes }) => kind === 'sum' && lanes[lane]);
  const access = done.findLast(({ kind, lanes }) => (kind === 'load' || kind === 'store') && lanes[lane]);
  const own = sum?.lanes[lane];
  const moved = access?.lanes[lane];
  return (
    <div class="step-sums">
      <h3>Lane {lane}</h3>
      <ul>
        {access && moved && (
          <li>
            {access.kind === 'load' ? 'loaded' : 'stored'} {placeName(trace.of, access.name, moved.at)} ={' '}
            {moved.values.map(number).join(', ')}
          </li>
        )}
        {sum && own ? formulas(sum, own).map((line) => <li key={line}>{line}</li>) : <li>no sum yet</li>}
      </ul>
    </div>
  );
}

function Counters({ trace, step: { counts } }: { readonly trace: StepTrace; readonly step: Step }) {
  const { loads, workgroupLoads, multiplyAdds, barriers, workgroupStores, storeCycles } = counts;
  const per = (value: number, of: number) => (of === 0 ? '–' : number(value / of));
  const rows: [string, string][] = [
    ['Loads from buffers', String(loads)],
    ['Multiply-adds', String(multiplyAdds)],
    ['Loads per multiply-add', per(loads, multiplyAdds)],
  ];
  if (trace.of.memories.length > 0)
    rows.push(
      ['Loads from workgroup memory', String(workgroupLoads)],
      ['Cycles per store to it (1: no conflict)', per(storeCycles, workgroupStores)],
      ['Barriers', String(barriers)],
    );
  return (
    <dl class="step-counts">
      {rows.map(([what, value]) => (
        <div key={what}>
          <dt>{what}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
