/** All tunings beside each other. */
import { classesWithoutImages } from '../../../src/ptdpc/metrics.js';
import { signedPoints } from '../../../src/report/format.js';
import type { HeldOut, Scores } from '../../protocol.js';
import { DataTable } from '../data-table.js';
import { percent } from '../format.js';
import { isWorse, type TitledRun } from './runs.js';

export function Comparison({ runs }: { readonly runs: readonly TitledRun[] }) {
  const share = (value: number | null | undefined) => percent(value ?? null);
  return (
    <DataTable
      label="All tunings"
      head={[
        'tuning',
        'pictures',
        'epochs',
        'training',
        'validation',
        'test: zero-shot',
        'test: tuned',
        'macro-F1',
        'against zero-shot',
      ]}
      rows={runs.map((run) => {
        const { title, data, epochs, options, answer } = run;
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
          isWorse(run) ? <strong class="worse">worse</strong> : gain(answer?.heldOut),
        ];
      })}
    />
  );
}

/** In percentage points. */
function gain(heldOut: HeldOut | null | undefined): string {
  return heldOut ? `${signedPoints(heldOut.tuned.accuracy - heldOut.zeroShot.accuracy)} points` : '–';
}

/** With how many classes it says nothing of, since none of the held-out pictures is of them. */
function macroF1(scores: Scores | undefined): string {
  const absent = classesWithoutImages(scores?.confusion ?? []).length;
  return percent(scores?.macroF1 ?? null) + (absent === 0 ? '' : ` (${absent} without pictures)`);
}
