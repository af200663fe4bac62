/** The tables of a study, each described once as those of an experiment are; Markdown, LaTeX and the report only format them. */
import { counted } from '../../errors.js';
import { mebibytes } from '../budget.js';
import { type Cell, Notes, percent, type ResultTable, signed } from '../experiment/tables.js';
import { DISTRIBUTION_MEASURE_NAMES, DISTRIBUTION_MEASURES } from '../label-distributions.js';
import type { Board, Leaderboard, OverallBoard, RankedRow } from './leaderboard.js';
import type { StudyResults } from './results.js';

/** One table for each of these, in this order. */
export interface StudyTables {
  /** Means over the data sets; null for a single one. */
  overall: ResultTable | null;
  datasets: DatasetTables[];
}

export interface DatasetTables {
  dataset: string;
  label: string;
  /** Rows by shots. */
  accuracy: ResultTable;
  /** Rows by shots; null if it was not measured. */
  selectedOnTest: ResultTable | null;
  cost: ResultTable;
  boards: BoardTables[];
}

export interface BoardTables {
  board: Board;
  ranking: ResultTable;
  /** Null for fewer than two rows with a result, and where nothing can be paired. */
  pairs: ResultTable | null;
  /** Null where images have no votes. */
  distribution: ResultTable | null;
}

export function studyTables(results: StudyResults, { boards, overall }: Leaderboard): StudyTables {
  return {
    overall: overall.length === 0 ? null : overallTable(results, overall),
    datasets: results.datasets.map(({ name, label }) => {
      const own = boards.filter(({ dataset }) => dataset === name);
      return {
        ...{ dataset: name, label },
        accuracy: accuracyTable(results, name, label, own),
        selectedOnTest: selectedTable(results, name, label, own),
        cost: costTable(results, name, label, own),
        boards: own.map((board) => boardTables(results, label, board)),
      };
    }),
  };
}

/** All of them in order; of those that LaTeX gets, without the matrices of pairs, which are too wide for a page. */
export function listedTables({ overall, datasets }: StudyTables, { isWide = true } = {}): ResultTable[] {
  const all = datasets.flatMap(({ accuracy, selectedOnTest, cost, boards }) => [
    ...[accuracy, selectedOnTest],
    ...boards.flatMap(({ ranking, pairs, distribution }) => [ranking, isWide ? pairs : null, distribution]),
    cost,
  ]);
  return [overall, ...all].filter((one) => one !== null);
}

/** `1 shot`, `16 shots`, `all images`. */
export function shotsWords(shots: number | null): string {
  return shots === null ? 'all images' : counted(shots, 'shot');
}

const shotsName = (shots: number | null) => (shots === null ? 'all' : `${shots}`);

/** Rows by their mean over the numbers of shots; those that lack one last. */
function rowsInOrder({ rows }: StudyResults, boards: readonly Board[]) {
  const meanOf = (name: string) => {
    const means = boards.flatMap(({ ranking }) => ranking.find(({ row }) => row === name)?.accuracy?.mean ?? []);
    return means.length < boards.length ? -1 : means.reduce((sum, mean) => sum + mean, 0);
  };
  return [...rows].sort((a, b) => meanOf(b.name) - meanOf(a.name));
}

/** A row for each learner and a column for each number of shots. */
function byShots(
  results: StudyResults,
  boards: readonly Board[],
  cell: (row: RankedRow, board: Board) => Cell,
): Pick<ResultTable, 'head' | 'rows' | 'foot'> {
  return {
    head: ['', ...boards.map(({ shots }) => shotsWords(shots))],
    rows: rowsInOrder(results, boards).map(({ name, label }) => [
      [label],
      ...boards.map((board) => {
        const found = board.ranking.find(({ row }) => row === name);
        return found ? cell(found, board) : [];
      }),
    ]),
    foot: [],
  };
}

function accuracyTable(results: StudyResults, name: string, label: string, boards: readonly Board[]): ResultTable {
  const notes = new Notes();
  const highest = 'Highest mean of its column.';
  // The first letter, whichever row comes first.
  if (boards.some(({ ranking }) => ranking[0]?.rank === 1)) notes.mark(highest);
  const body = byShots(results, boards, (row, { pairs }) => {
    if (!row.accuracy) return missingLine(row);
    const level = row.rank !== 1 && row.levelWithFirst && pairs.length > 0;
    const mark =
      row.rank === 1
        ? notes.mark(highest)
        : level
          ? notes.mark('Not told apart from the highest by the paired tests.')
          : '';
    return [meanWords(row) + mark, ...intervalLine(row.accuracyInterval), ...missingLine(row)];
  });
  return {
    ...{ name: `accuracy-${name}`, title: `${label}: accuracy`, ...body },
    caption:
      'Accuracy in per cent by the number of training images per class (shots): mean ± sample standard deviation over the seeds; in brackets the ' +
      "95 % interval for new images and other seeds (Wilson's score interval, widened by the spread between seeds). Learners are compared on the same images, " +
      'so overlapping intervals do not mean that two are level: the paired tests tell.',
    notes: notes.lines(),
  };
}

function meanWords({ accuracy }: RankedRow): string {
  const { mean, std } = accuracy!;
  return `${percent(mean, 1)}${std === null || std === 0 ? '' : ` ± ${percent(std, 1)}`}`;
}

function intervalLine(interval: readonly [number, number] | null, write = (share: number) => percent(share, 1)): Cell {
  return interval ? [`[${write(interval[0])}, ${write(interval[1])}]`] : [];
}

function missingLine({ seeds, missing }: RankedRow): Cell {
  return missing === 0 ? [] : [`${seeds} of ${counted(seeds + missing, 'seed')}`];
}

export const SELECTED_ON_TEST =
  'Points of accuracy that choosing on the test images would have added: the best of the candidates that were tried (epochs, learning rates, constants) by its accuracy on the ' +
  'very images that it is reported on, minus the accuracy reported here, which no test image had a part in choosing. Mean over the seeds. A choice on test images is a part of the ' +
  'training: its accuracy is that of the luckiest candidate on these images, and new images would not repeat it. A published gain of this size may be nothing else.';

function selectedTable(
  results: StudyResults,
  name: string,
  label: string,
  boards: readonly Board[],
): ResultTable | null {
  if (boards.every(({ ranking }) => ranking.every(({ selectedOnTest }) => selectedOnTest === null))) return null;
  const body = byShots(results, boards, ({ selectedOnTest }) =>
    selectedOnTest ? [signed(selectedOnTest.gain, 1), `best of ${selectedOnTest.candidates}`] : [],
  );
  return {
    ...{ name: `selected-on-test-${name}`, title: `${label}: what selecting on the test images would have added` },
    ...{ caption: SELECTED_ON_TEST, ...body, notes: [] },
  };
}

function boardTables(results: StudyResults, label: string, board: Board): BoardTables {
  return {
    board,
    ranking: rankingTable(results, label, board),
    pairs: board.pairs.length === 0 ? null : pairsTable(results, label, board),
    distribution: distributionTable(results, label, board),
  };
}

const labelIn = ({ rows }: StudyResults, name: string) => rows.find((row) => row.name === name)?.label ?? name;

function rankingTable(results: StudyResults, label: string, { dataset, shots, ranking }: Board): ResultTable {
  const points = (share: number | null): Cell => (share === null ? [] : [percent(share, 1)]);
  return {
    ...{ name: `ranking-${dataset}-${shotsName(shots)}`, title: `${label}, ${shotsWords(shots)}: ranking` },
    caption:
      'By mean accuracy; equal means share a rank. Over zero-shot: points of accuracy, with the 95 % interval of the paired bootstrap over images and seeds, and the p-value by Holm ' +
      'over all pairs of rows. Balanced accuracy (mean of the classes), macro-F1 and expected calibration error (15 bins) in per cent, and mean cross-entropy. Selected on test: points that ' +
      'choosing on the test images would have added.',
    head: [
      ...['', 'rank', 'accuracy', 'over zero-shot', 'balanced accuracy', 'macro-F1', 'calibration error'],
      ...['cross-entropy', 'selected on test'],
    ],
    rows: ranking.map((row) => [
      [labelIn(results, row.row)],
      row.rank === null ? [] : [`${row.rank}`],
      row.accuracy ? [meanWords(row), ...intervalLine(row.accuracyInterval), ...missingLine(row)] : missingLine(row),
      row.overZeroShot
        ? [
            signed(row.overZeroShot.difference, 1),
            ...intervalLine(row.overZeroShot.interval, (share) => signed(share, 1)),
            pWords(row.overZeroShot.adjustedPValue),
          ]
        : [],
      ...[points(row.balancedAccuracy), points(row.macroF1), points(row.calibrationError)],
      row.loss === null ? [] : [row.loss.toFixed(3)],
      row.selectedOnTest ? [signed(row.selectedOnTest.gain, 1)] : [],
    ]),
    ...{ foot: [], notes: [] },
  };
}

/** `p < 0.001`, `p = 0.02`. */
function pWords(value: number): string {
  return value < 0.001 ? 'p < 0.001' : `p = ${Number(value.toPrecision(2))}`;
}

export const PAIRED_TESTS =
  'Two learners are told apart if the p-value by Holm over all pairs of this table is below 0.05 and the 95 % interval of the difference does not contain 0. The p-value is of the exact ' +
  "sign-flip test over the test images, each image's outcomes summed over the seeds (McNemar's exact test if there is one seed): it is conditional on these trainings, and says whether " +
  'the difference could be luck of the test images. The interval is a paired bootstrap that draws images and seeds, so that it covers other trainings too, as far as so few seeds can tell.';

function pairsTable(results: StudyResults, label: string, board: Board): ResultTable {
  const { dataset, shots, ranking, pairs } = board;
  const rows = ranking.filter(({ rank }) => rank !== null);
  const cell = (first: string, second: string): Cell => {
    const ahead = pairs.find((pair) => pair.first === first && pair.second === second);
    const behind = pairs.find((pair) => pair.first === second && pair.second === first);
    const found = ahead ?? behind;
    if (!found) return [];
    const text = signed(ahead ? found.difference : -found.difference, 1);
    return [found.toldApart ? text : `(${text})`];
  };
  return {
    ...{ name: `pairs-${dataset}-${shotsName(shots)}`, title: `${label}, ${shotsWords(shots)}: every two learners` },
    caption: `Mean accuracy of the row minus that of the column, in points; in parentheses where the two are not told apart. ${pairsWords(results, board)} ${PAIRED_TESTS}`,
    head: ['', ...rows.map((_, i) => `${i + 1}`)],
    rows: rows.map(({ row }, i) => [
      [`${i + 1} ${labelIn(results, row)}`],
      ...rows.map((other) => cell(row, other.row)),
    ]),
    ...{ foot: [], notes: [] },
  };
}

/** What the tests found of a board, in sentences. */
export function pairsWords(results: StudyResults, { ranking, pairs }: Board): string {
  const apart = pairs.filter(({ toldApart }) => toldApart).length;
  const names = (rows: readonly RankedRow[]) => rows.map(({ row }) => labelIn(results, row)).join(', ');
  const first = ranking.filter(({ rank }) => rank === 1);
  const level = ranking.filter(({ rank, levelWithFirst }) => rank !== 1 && levelWithFirst);
  const over = ranking.filter(({ overZeroShot }) => overZeroShot?.toldApart && overZeroShot.difference > 0);
  const under = ranking.filter(({ overZeroShot }) => overZeroShot?.toldApart && overZeroShot.difference < 0);
  const compared = ranking.some(({ overZeroShot }) => overZeroShot !== null);
  return [
    `Of ${counted(pairs.length, 'pair')}, ${apart} ${apart === 1 ? 'is' : 'are'} told apart.`,
    `Highest: ${names(first)}; not told apart from ${first.length === 1 ? 'it' : 'the first of them'}: ${names(level) || 'none'}.`,
    ...(compared ? [`Ahead of zero-shot: ${names(over) || 'none'}; behind it: ${names(under) || 'none'}.`] : []),
  ].join(' ');
}

function distributionTable(results: StudyResults, label: string, board: Board): ResultTable | null {
  const scored = board.ranking.flatMap(({ row, distribution }) => (distribution ? [{ row, distribution }] : []));
  if (scored.length === 0) return null;
  const { dataset, shots } = board;
  return {
    name: `distribution-${dataset}-${shotsName(shots)}`,
    title: `${label}, ${shotsWords(shots)}: label distributions`,
    caption: `How far the predicted probabilities are from the votes, means over images and seeds. Higher is better for ${DISTRIBUTION_MEASURE_NAMES.filter(
      (name) => DISTRIBUTION_MEASURES[name].better === 'higher',
    )
      .map((name) => DISTRIBUTION_MEASURES[name].label)
      .join(' and ')}, lower for the others; docs/evaluation.md has the formulas.`,
    head: ['', ...DISTRIBUTION_MEASURE_NAMES.map((name) => DISTRIBUTION_MEASURES[name].label)],
    rows: scored.map(({ row, distribution }) => [
      [labelIn(results, row)],
      ...DISTRIBUTION_MEASURE_NAMES.map((name) => [distribution[name].toFixed(3)]),
    ]),
    ...{ foot: [], notes: [] },
  };
}

/** Of the largest number of shots. */
function costTable(results: StudyResults, name: string, label: string, boards: readonly Board[]): ResultTable {
  const { shots, ranking } = [...boards].sort((a, b) => (b.shots ?? Infinity) - (a.shots ?? Infinity))[0]!;
  return {
    ...{ name: `cost-${name}`, title: `${label}, ${shotsWords(shots)}: cost of a training` },
    caption:
      'Means over the seeds: numbers that are learned; seconds of the training itself, without the encoding of images; its arithmetic in 10^9 floating-point operations (GFLOP); and the most memory that the ' +
      'training takes on the device beside the weights. Seconds depend on the device and on what else it does.',
    head: ['', 'learned numbers', 'seconds', 'GFLOP', 'memory (MiB)', 'accuracy'],
    rows: ranking.map(({ row, cost, accuracy }) => [
      [labelIn(results, row)],
      ...(cost
        ? [
            [Math.round(cost.parameters).toLocaleString('en-US')],
            [significant(cost.seconds)],
            cost.flops === null ? [] : [significant(cost.flops / 1e9)],
            [mebibytes(cost.peakBytes)],
          ]
        : [[], [], [], []]),
      accuracy ? [percent(accuracy.mean, 1)] : [],
    ]),
    ...{ foot: [], notes: [] },
  };
}

/** Three significant digits, thousands in groups. */
function significant(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}

function overallTable(results: StudyResults, overall: readonly OverallBoard[]): ResultTable {
  const found = (name: string) => overall.map(({ ranking }) => ranking.find(({ row }) => row === name));
  const mean = (name: string) => found(name).reduce((sum, one) => sum + (one?.accuracy ?? -1), 0);
  return {
    ...{ name: 'accuracy-mean', title: `Mean of ${counted(results.datasets.length, 'data set')}` },
    caption:
      'Mean accuracy over the data sets in per cent; below it the points over zero-shot, the mean of the ranks, and the points that selecting on the test images would have added. Empty where a data set ' +
      'lacks a result. Data sets are few and unlike one another, so there is no interval.',
    head: ['', ...overall.map(({ shots }) => shotsWords(shots))],
    rows: [...results.rows]
      .sort((a, b) => mean(b.name) - mean(a.name))
      .map(({ name, label }) => [
        [label],
        ...found(name).map((one) =>
          one
            ? [
                percent(one.accuracy, 1),
                ...(one.overZeroShot === null ? [] : [`${signed(one.overZeroShot, 1)} over zero-shot`]),
                `mean rank ${one.meanRank.toFixed(1)}`,
                ...(one.selectedOnTest === null ? [] : [`${signed(one.selectedOnTest, 1)} on test`]),
              ]
            : [],
        ),
      ]),
    ...{ foot: [], notes: [] },
  };
}
