/** The weights w[i][j] of a picture: how it composes its prompt from the tokens of each class (paper, Eq. 3). */
import { useCallback } from 'preact/hooks';
import { isPtDpc } from '../../../src/learners/prompts/index.js';
import { MOST_DRAWN } from '../../most-shown.js';
import type { PromptsReport } from '../../protocol.js';
import { Chart } from '../chart.js';
import { isShifted, shortest, titleOfLearner, whole } from '../format.js';

export interface WeightsProps {
  /** The picture's. */
  readonly name: string;
  readonly prompts: PromptsReport;
  /** By class and token, one row for a prompt that all share; null if the mode has none. */
  readonly weights: readonly (readonly number[])[] | null;
  readonly tokens: readonly string[] | undefined;
}

export function Weights({ name, prompts, weights, tokens }: WeightsProps) {
  const { options } = prompts;
  if (weights === null) {
    const what = isPtDpc(options) ? `Mode ${options.mode}` : titleOfLearner(options);
    const why = isShifted(options)
      ? 'a network shifts its learned tokens by the picture.'
      : 'its prompts are the same for every picture.';
    return (
      <p class="note">
        {what} has no weights: {why}
      </p>
    );
  }
  return (
    <>
      <WeightMap name={name} prompts={prompts} weights={weights} tokens={tokens} />
      {weights.length > MOST_DRAWN && (
        <p class="note">
          Drawn: the first {MOST_DRAWN} of {whole(prompts.classes.length)} classes. The numbers are of the first{' '}
          {weights.length}.
        </p>
      )}
    </>
  );
}

function WeightMap({
  name,
  prompts,
  weights,
  tokens,
}: WeightsProps & { readonly weights: readonly (readonly number[])[] }) {
  const rows = weights.length === 1 ? ['all classes'] : prompts.classes.map(({ word }) => word);
  const columns = weights[0]!.map((_, j) => tokens?.[j] ?? `${j + 1}`);
  const all = weights.flat();
  const mean = all.reduce((sum, weight) => sum + weight, 0) / all.length;
  const widest = all.reduce((most, weight) => Math.max(most, Math.abs(weight - mean)), 1e-9);
  const drawn = weights.slice(0, MOST_DRAWN);
  const texts = drawn.map((row) => row.map((weight) => weight.toFixed(2).replace('-', '−')));
  const draw = useCallback(
    ({ heatMap }: typeof import('../drawings.js')) =>
      heatMap({
        ...{ rows: rows.slice(0, drawn.length), columns, texts },
        ...{ rowName: weights.length === 1 ? '' : 'class', columnName: 'token' },
        shades: drawn.map((row) => row.map((weight) => (weight - mean) / widest)),
      }),
    [weights, tokens],
  );
  const places = weights.flatMap((row, r) => row.map((weight, c) => ({ weight, text: `${columns[c]} (${rows[r]})` })));
  const high = places.reduce((most, place) => (place.weight > most.weight ? place : most));
  const low = places.reduce((least, place) => (place.weight < least.weight ? place : least));
  const same = weights.length > 1 && weights.every((row) => row.every((weight, j) => weight === weights[0]![j]));
  return (
    <Chart
      title="Weights by class and token"
      draw={draw}
      summary={`Weights of ${name}, ${rows.length} × ${columns.length}: largest ${high.text} ${shortest(high.weight, 3)}, smallest ${low.text} ${shortest(low.weight, 3)}.`}
      note={
        <>
          How strongly this picture draws on each class's learned token, w[i][j] of Equation 3. Shades show how far a
          weight lies above or below their mean, {shortest(mean, 3)}: at most {shortest(widest, 2)}. Each learned token
          is named by the one it began as; [SOT] is the start of the text.
          {same &&
            ' The rows are equal: the prompts of all classes started equal, and composition treats all classes alike.'}
        </>
      }
      data={{
        label: `Weights of ${name} by class and token`,
        head: ['class', ...columns.map((column, j) => `${j + 1} ${column}`)],
        rows: weights.map((row, i) => [rows[i], ...row.map((weight) => weight.toFixed(4).replace('-', '−'))]),
      }}
    />
  );
}
