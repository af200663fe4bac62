/** results.json of a study: read back as it was written, and nothing else is. */
import { expect, test } from 'vitest';
import {
  isStudyResults,
  leaderboard,
  parseStudyResults,
  type StudyResults,
  studyResultsJson,
} from '../../../src/ptdpc/study/index.js';
import { expectInputError } from '../../clip/checkpoint/support.js';
import { rights, seedOf, studyOf } from './support.js';

const study = () =>
  studyOf(
    {
      'zero-shot': [seedOf(0, rights(10, 5), { train: 0 }), null],
      coop: [seedOf(0, rights(10, 6)), seedOf(1, rights(10, 7), { onTest: { candidates: 3, accuracy: 0.8 } })],
    },
    { shots: [1, null] },
  );

test('is read as it was written, with the leaderboard beside it', () => {
  const results = study();
  const json = studyResultsJson(results, leaderboard(results));
  expect(isStudyResults(json)).toBe(true);
  expect(parseStudyResults(json, 'results.json')).toEqual(results);
  expect(JSON.parse(json)).toHaveProperty('leaderboard.boards.0.ranking.0.row', 'coop');
});

test.each([
  ['another format', (one: StudyResults) => ({ ...one, format: 2 })],
  ['outcomes of fewer images', (one: StudyResults) => withSeed(one, { correct: '101' })],
  ['outcomes that are neither right nor wrong', (one: StudyResults) => withSeed(one, { correct: '1010101012' })],
  ['an accuracy above 1', (one: StudyResults) => withSeed(one, { accuracy: 1.5 })],
  ['a missing cell', (one: StudyResults) => ({ ...one, cells: one.cells.slice(1) })],
  ['a data set twice', (one: StudyResults) => ({ ...one, datasets: [...one.datasets, ...one.datasets] })],
  ['no number of shots', (one: StudyResults) => ({ ...one, shots: [], cells: [] })],
])('%s is refused', async (_, change) => {
  const json = JSON.stringify(change(study()));
  await expectInputError(
    async () => parseStudyResults(json, 'out/results.json'),
    'out/results.json',
    'results of a study',
  );
});

function withSeed(results: StudyResults, change: object): unknown {
  const [first, ...rest] = results.cells;
  return { ...results, cells: [{ ...first, seeds: first!.seeds.map((seed) => ({ ...seed, ...change })) }, ...rest] };
}

test('neither an experiment nor other text is a study', () => {
  for (const json of ['', '[]', 'null', '{"experiment":"table1","cells":[]}', '{'])
    expect(isStudyResults(json)).toBe(false);
});
