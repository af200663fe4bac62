/** Learned tokens on their way, in a plane: a mark for each class, a trail from where each began, the word that it is near now. */
import { useState } from 'preact/hooks';
import type { Stage, TokenMap as Tokens } from '../../protocol.js';
import { DataTable } from '../data-table.js';
import { counted, shortest } from '../format.js';
import { Mark } from './series-key.js';

const WIDTH = 260;
const HEIGHT = 170;
const MARGIN = 20;
const COLORS = ['first', 'second', 'third', 'muted'] as const;
const STROKE = {
  first: 'var(--series-1)',
  second: 'var(--series-2)',
  third: 'var(--series-3)',
  muted: 'var(--muted)',
} as const;

export interface TokenMapProps {
  readonly stage: Stage;
  /** Class words. */
  readonly classes: readonly string[];
}

export function TokenMap({ stage, classes }: TokenMapProps) {
  const { tokens } = stage;
  const [chosen, setChosen] = useState(-1);
  const { sets, trail, words, more } = tokens;
  const perSet = (trail[0]?.length ?? 0) / 2 / sets;
  const names = sets === 1 ? ['all classes'] : classes.slice(0, sets);
  const only = chosen < sets ? chosen : -1;
  const locate = locator(trail);
  const shown = names.map((_, set) => set).filter((set) => only < 0 || set === only);
  const labels = words ? labelsOf(tokens, locate, shown, perSet) : [];
  const drifted = words?.flat().filter(({ began, nearest }) => began !== nearest).length ?? 0;
  const summary =
    `Plane of ${counted(sets * perSet, 'learned token')} after ${counted(stage.steps, 'step')}` +
    (words ? `; ${drifted} of them nearest to another word than they began as.` : '.');
  return (
    <figure class="token-map">
      <figcaption class="with-choice">
        Learned tokens
        {sets > 1 && (
          <span>
            <label for="token-class">of</label>{' '}
            <select
              id="token-class"
              value={String(only)}
              onChange={({ currentTarget }) => setChosen(Number(currentTarget.value))}
            >
              <option value="-1">all classes</option>
              {names.map((name, set) => (
                <option key={name} value={String(set)}>
                  {name}
                </option>
              ))}
            </select>
          </span>
        )}
      </figcaption>
      <Legend names={sets > 1 ? names : []} />
      <svg class="plane" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={summary}>
        <rect x="0.5" y="0.5" width={WIDTH - 1} height={HEIGHT - 1} fill="none" stroke="var(--rule)" />
        {shown.map((set) =>
          Array.from({ length: perSet }, (_, token) => {
            const at = set * perSet + token;
            const path = trail.map((state) => locate(state, at));
            const [x, y] = path.at(-1)!;
            const [x0, y0] = path[0]!;
            return (
              <g key={at}>
                <path
                  d={`M${path.map(([px, py]) => `${px} ${py}`).join('L')}`}
                  fill="none"
                  stroke={STROKE[COLORS[set % COLORS.length]!]}
                  stroke-width="1"
                  opacity="0.55"
                />
                <circle cx={x0} cy={y0} r="1.4" fill="var(--muted)" />
                <SetMark set={set} x={x} y={y} />
              </g>
            );
          }),
        )}
        {labels.map(({ text, x, y, anchor, changed }) => (
          <text key={`${text} ${x} ${y}`} x={x} y={y} text-anchor={anchor} class={changed ? 'word changed' : 'word'}>
            {text}
          </text>
        ))}
      </svg>
      <details>
        <summary>What is drawn</summary>
        <p class="note">
          Each path is a learned token, from its start (dot) to now (mark), in the plane in which they differ most; the
          plane turns as they move. Where there is room, a mark bears the nearest word, in bold if that is not the one
          it began as.
          {more && ` The first ${sets} prompts.`}
        </p>
      </details>
      {words && (
        <details>
          <summary>Numbers</summary>
          <DataTable
            label="Learned tokens"
            kind="words"
            head={['prompt of', 'began as', 'nearest word now', 'distance from there']}
            rows={words.flatMap((row, set) =>
              row.map(({ began, nearest, moved }) => [names[set], began, nearest, shortest(moved, 3)]),
            )}
          />
        </details>
      )}
    </figure>
  );
}

function Legend({ names }: { readonly names: readonly string[] }) {
  return (
    <div class="legend">
      {names.map((name, set) => (
        <span key={name}>
          <svg class="series-key" width="12" height="12" aria-hidden="true">
            <SetMark set={set} x={6} y={6} />
          </svg>{' '}
          {name}
        </span>
      ))}
    </div>
  );
}

/** Four marks in four colours, then the same hollow. */
function SetMark({ set, x, y }: { readonly set: number; readonly x: number; readonly y: number }) {
  const kind = COLORS[set % COLORS.length]!;
  const hollow = Math.floor(set / COLORS.length) % 2 === 1;
  return <Mark {...{ kind, x, y }} r={3.4} stroke={STROKE[kind]} fill={hollow ? 'var(--paper)' : STROKE[kind]} />;
}

type Point = readonly [x: number, y: number];

/** From the plane to the drawing, in one scale for both axes. */
function locator(trail: readonly Float32Array[]): (state: Float32Array, token: number) => Point {
  let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const state of trail) {
    for (let i = 0; i < state.length; i += 2) {
      left = Math.min(left, state[i]!);
      right = Math.max(right, state[i]!);
      low = Math.min(low, state[i + 1]!);
      high = Math.max(high, state[i + 1]!);
    }
  }
  const scale = Math.min(
    (WIDTH - 2 * MARGIN) / Math.max(right - left, 1e-9),
    (HEIGHT - 2 * MARGIN) / Math.max(high - low, 1e-9),
  );
  const round = (value: number) => Math.round(10 * value) / 10;
  return (state, token) => [
    round(WIDTH / 2 + scale * (state[2 * token]! - (left + right) / 2)),
    round(HEIGHT / 2 - scale * (state[2 * token + 1]! - (low + high) / 2)),
  ];
}

interface Label {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly anchor: 'start' | 'end';
  readonly changed: boolean;
}

/** Words beside their tokens, those that have changed first; a word that would cover another is left to the table. */
function labelsOf(
  { words, trail }: Tokens,
  locate: ReturnType<typeof locator>,
  shown: readonly number[],
  perSet: number,
): Label[] {
  const placed: (Label & { width: number })[] = [];
  const wanted = shown
    .flatMap((set) => words![set]!.map((word, token) => ({ ...word, at: set * perSet + token })))
    .sort((a, b) => Number(a.began === a.nearest) - Number(b.began === b.nearest) || b.moved - a.moved);
  for (const { began, nearest, at } of wanted) {
    const [x, y] = locate(trail.at(-1)!, at);
    const width = 6.2 * nearest.length;
    const anchor = x + width + 8 > WIDTH ? 'end' : 'start';
    const label = {
      text: nearest,
      x: x + (anchor === 'start' ? 6 : -6),
      y: y + 3.5,
      anchor,
      changed: began !== nearest,
      width,
    } as const;
    const from = (one: typeof label) => (one.anchor === 'start' ? one.x : one.x - one.width);
    const covers = placed.some(
      (other) =>
        Math.abs(other.y - label.y) < 11 &&
        from(label) < from(other as typeof label) + other.width + 3 &&
        from(other as typeof label) < from(label) + width + 3,
    );
    if (!covers) placed.push(label);
  }
  return placed;
}
