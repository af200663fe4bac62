/** A study of any number of learners, whose images are of all degrees of difficulty. */
import type { StudyResults } from '../../src/ptdpc/study/results.js';
import { uniformGenerator } from '../../src/tensor/random.js';
import { seedOf, studyOf } from '../ptdpc/study/support.js';

export function sampleStudy(rows = 3, label = 'scenes8', labels: readonly string[] = []): StudyResults {
  const random = uniformGenerator(1);
  const ease = Array.from({ length: 120 }, () => random());
  const names = ['zero-shot', ...Array.from({ length: rows - 1 }, (_, i) => `learner-${i + 1}`)];
  const seeds = (row: number) => (shots: number | null) =>
    [0, 1, 2].map((seed) => {
      const level = row === 0 ? 0.4 : 0.35 + 0.02 * row + 0.05 * Math.log2(shots ?? 32);
      const correct = ease.map((one) => (0.7 * one + 0.3 * (row === 0 ? 0.5 : random()) < level ? '1' : '0')).join('');
      const found = seedOf(seed, correct);
      return row === 0
        ? { ...found, train: 0 }
        : { ...found, onTest: { candidates: 50, accuracy: found.accuracy + 0.02 } };
    });
  return studyOf(Object.fromEntries(names.map((name, row) => [name, seeds(row)])), {
    ...{ shots: [1, 4, null], demonstration: true },
    datasets: ['data'],
    labels: {
      data: label,
      ...Object.fromEntries(names.flatMap((name, i) => (labels[i] === undefined ? [] : [[name, labels[i]]]))),
    },
  });
}
