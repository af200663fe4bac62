/** Results of a study made by hand. */
import {
  STUDY_RESULTS_FORMAT,
  type StudyCell,
  type StudyResults,
  type StudySeed,
} from '../../../src/ptdpc/study/results.js';

/** `10110`: a share of `right` of `count` images, those from `shift` on, around the end. */
export function rights(count: number, right: number, shift = 0): string {
  return Array.from({ length: count }, (_, i) => ((((i - shift) % count) + count) % count < right ? '1' : '0')).join(
    '',
  );
}

export function seedOf(seed: number, correct: string, change: Partial<StudySeed> = {}): StudySeed {
  const accuracy = [...correct].filter((right) => right === '1').length / correct.length;
  return {
    ...{ seed, task: `task-${seed}`, device: 'CPU', count: correct.length, accuracy },
    ...{ balancedAccuracy: accuracy, macroF1: accuracy, loss: 1, calibrationError: 0.1, distribution: null },
    ...{ train: 16, val: null, imagesSha256: 'ab', correct },
    cost: { seconds: 2, flops: 3e9, parameters: 512, peakBytes: 2 ** 20 },
    onTest: null,
    ...change,
  };
}

interface StudyChange {
  shots?: (number | null)[];
  datasets?: string[];
  /** Of rows and data sets; default: their names. */
  labels?: Readonly<Record<string, string>>;
  demonstration?: boolean;
}

/** Rows by name with their seeds at every number of shots; `zero-shot` is the row that learns nothing. */
export function studyOf(
  rows: Readonly<
    Record<string, readonly (StudySeed | null)[] | ((shots: number | null) => readonly (StudySeed | null)[])>
  >,
  { shots = [1], datasets = ['d'], labels = {}, demonstration = false }: StudyChange = {},
): StudyResults {
  const names = Object.keys(rows);
  const cells: StudyCell[] = datasets.flatMap((dataset) =>
    shots.flatMap((k) =>
      names.map((row) => {
        const of = rows[row]!;
        const seeds = typeof of === 'function' ? of(k) : of;
        return {
          ...{ dataset, row, shots: k, seeds: seeds.filter((one) => one !== null) },
          missing: [...seeds.keys()].filter((s) => seeds[s] === null),
        };
      }),
    ),
  );
  const seeds = Math.max(...cells.map((cell) => cell.seeds.length + cell.missing.length));
  return {
    ...{ format: STUDY_RESULTS_FORMAT, title: 'A study', demonstration },
    made: {
      ...{ program: '0', model: { name: 'clip', sha256: 'ab'.repeat(32) }, devices: ['CPU'] },
      seeds: Array.from({ length: seeds }, (_, s) => s),
    },
    datasets: datasets.map((name) => ({ name, label: labels[name] ?? name, classes: ['a', 'b'] })),
    shots,
    rows: names.map((name) => ({
      ...{ name, label: labels[name] ?? name, learner: name === 'zero-shot' ? 'zero-shot' : 'coop' },
      ...{ learns: 'words of the prompt', paper: null, options: {} },
    })),
    cells,
  };
}
