/** The documents of a study's results: Markdown, LaTeX, and lines of CSV. */
import { counted } from '../../errors.js';
import { DEMONSTRATION, latexDocument, markdownDocument, type ResultDocument } from '../experiment/document.js';
import { csvLine } from '../predictions-csv.js';
import { type Leaderboard, type RankedRow, zeroShotRow } from './leaderboard.js';
import type { StudyResults, StudyRowResult } from './results.js';
import { listedTables, shotsWords, studyTables } from './tables.js';

/** Warnings, origin and all tables. */
export function studyDocument(results: StudyResults, board: Leaderboard, options = { isWide: true }): ResultDocument {
  return {
    title: results.title,
    warnings: studyWarnings(results, board),
    made: madeWords(results),
    rows: results.rows.map((row) => [row.label, rowWords(row)]),
    tables: listedTables(studyTables(results, board), options),
  };
}

export function studyMarkdown(results: StudyResults, board: Leaderboard): string {
  return markdownDocument(studyDocument(results, board));
}

/** Without the matrices of pairs, which are too wide for a page. */
export function studyLatex(results: StudyResults, board: Leaderboard): string {
  return latexDocument(studyDocument(results, board, { isWide: false }), 'study');
}

/** What every reader should see, each `<what>: <sentences>`. */
export function studyWarnings(results: StudyResults, { boards }: Leaderboard): string[] {
  const { cells, datasets, demonstration, made } = results;
  const done = cells.reduce((sum, { seeds }) => sum + seeds.length, 0);
  const missing = cells.reduce((sum, cell) => sum + cell.missing.length, 0);
  const of = (images: 'by-seed' | 'none') =>
    boards
      .filter((board) => board.images === images)
      .map(
        ({ dataset, shots }) =>
          `${datasets.find(({ name }) => name === dataset)?.label ?? dataset}, ${shotsWords(shots)}`,
      )
      .join('; ');
  const [drawn, unpaired] = [of('by-seed'), of('none')];
  return [
    ...(demonstration ? [DEMONSTRATION] : []),
    ...(missing > 0
      ? [
          `Not finished: ${done} of ${counted(done + missing, 'result')} are there; every mean that lacks seeds says how many it is of.`,
        ]
      : []),
    ...(made.seeds.length === 1 ? ['One seed: no interval and no test here says what another seed would change.'] : []),
    ...(zeroShotRow(results) === null
      ? ['No zero-shot: the study has no row without learning, so nothing says what learning adds.']
      : []),
    ...(drawn === ''
      ? []
      : [`Other test images with every seed: ${drawn}. Images of several seeds count as different ones in the tests.`]),
    ...(unpaired === ''
      ? []
      : [`Not compared: ${unpaired}. The learners were tested on different images, so no difference can be tested.`]),
  ];
}

/** What a row learns, where it is from, and its options that are not the published ones. */
export function rowWords({ learns, paper, options }: StudyRowResult): string {
  const changed = Object.entries(options).map(
    ([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return [learns, paper?.text ?? '', changed.length === 0 ? '' : `Options: ${changed.join(', ')}`]
    .filter((part) => part !== '')
    .map((part) => part.replace(/\.$/, ''))
    .join('. ');
}

export function madeWords({ made }: StudyResults): string {
  return [
    counted(made.seeds.length, 'seed'),
    `model ${made.model.name} (SHA-256 ${made.model.sha256.slice(0, 12)}…)`,
    `ptdpc ${made.program}`,
    made.devices.join('; ') || 'no device yet',
  ].join(', ');
}

const RANKING_HEAD = [
  ...['dataset', 'shots', 'rank', 'row', 'label', 'learner', 'seeds', 'missing', 'accuracy', 'std', 'low', 'high'],
  ...['over_zero_shot', 'over_zero_shot_low', 'over_zero_shot_high', 'over_zero_shot_p_holm', 'level_with_first'],
  ...['balanced_accuracy', 'macro_f1', 'calibration_error', 'loss', 'selected_on_test', 'candidates'],
  ...['seconds', 'flops', 'parameters', 'peak_bytes'],
];

/** One line for each data set, number of shots and row; shares in [0, 1], empty where there is no value. */
export function leaderboardCsv({ rows }: StudyResults, { boards }: Leaderboard): string {
  const line = (dataset: string, shots: number | null, ranked: RankedRow) => {
    const { label = '', learner = '' } = rows.find(({ name }) => name === ranked.row) ?? {};
    const { accuracy, accuracyInterval, overZeroShot, selectedOnTest, cost } = ranked;
    return csvLine(
      [
        ...[dataset, shots ?? 'all', ranked.rank, ranked.row, label, learner, ranked.seeds, ranked.missing],
        ...[accuracy?.mean, accuracy?.std, accuracyInterval?.[0], accuracyInterval?.[1]],
        ...[
          overZeroShot?.difference,
          overZeroShot?.interval[0],
          overZeroShot?.interval[1],
          overZeroShot?.adjustedPValue,
        ],
        ...[
          Number(ranked.levelWithFirst),
          ranked.balancedAccuracy,
          ranked.macroF1,
          ranked.calibrationError,
          ranked.loss,
        ],
        ...[selectedOnTest?.gain, selectedOnTest?.candidates],
        ...[cost?.seconds, cost?.flops, cost?.parameters, cost?.peakBytes],
      ].map((value) => value ?? ''),
    );
  };
  return [
    csvLine(RANKING_HEAD),
    ...boards.flatMap(({ dataset, shots, ranking }) => ranking.map((ranked) => line(dataset, shots, ranked))),
  ].join('');
}

const PAIRS_HEAD = [
  ...['dataset', 'shots', 'first', 'second', 'seeds', 'difference', 'low', 'high'],
  ...['more_often_first', 'more_often_second', 'p', 'p_holm', 'told_apart'],
];

/** One line for every two rows of a data set and number of shots; differences are of the first minus the second. */
export function pairsCsv({ boards }: Leaderboard): string {
  const lines = boards.flatMap(({ dataset, shots, pairs }) =>
    pairs.map(
      ({ first, second, seeds, difference, interval, onlyFirst, onlySecond, pValue, adjustedPValue, toldApart }) =>
        csvLine([
          ...[dataset, shots ?? 'all', first, second, seeds, difference, ...interval],
          ...[onlyFirst, onlySecond, pValue, adjustedPValue, Number(toldApart)],
        ]),
    ),
  );
  return [csvLine(PAIRS_HEAD), ...lines].join('');
}
