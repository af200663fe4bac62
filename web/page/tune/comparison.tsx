/** All tunings beside each other. */
import { classesWithoutImages } from '../../../src/ptdpc/metrics.js';
import type { Scores } from '../../protocol.js';
import { DataTable } from '../data-table.js';
import { percent } from '../format.js';
import type { Run } from './runs.js';

export function Comparison({ runs }: { readonly runs: readonly Run[] }) {
  const share = (value: number | null | undefined) => percent(value ?? null);
  return (
    <DataTable
      label="All tunings"
      head={['tuning', 'pictures', 'epochs', 'training', 'validation', 'test: zero-shot', 'test: tuned', 'macro-F1']}
      rows={runs.map(({ title, data, epochs, options, answer }) => {
        const last = epochs.at(-1);
        const done = answer?.prompts.epochs ?? epochs.length;
        return [
          title,
          data.name,
          `${done} of ${options.epochs}`,
          share(last?.trainAccuracy),
          share(last?.valAccuracy),
          share(answer?.heldOut?.zeroShot.accuracy),
          <strong key="tuned">{share(answer?.heldOut?.tuned.accuracy)}</strong>,
          macroF1(answer?.heldOut?.tuned),
        ];
      })}
    />
  );
}

/** With how many classes it says nothing of, since none of the held-out pictures is of them. */
function macroF1(scores: Scores | undefined): string {
  const absent = classesWithoutImages(scores?.confusion ?? []).length;
  return percent(scores?.macroF1 ?? null) + (absent === 0 ? '' : ` (${absent} without pictures)`);
}
