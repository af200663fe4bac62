/** The page of a study of learners: accuracy against shots, rankings, paired tests, what selecting on test images would have added, and cost. */
import { DEMONSTRATION } from '../ptdpc/experiment/index.js';
import { madeWords, rowWords, studyWarnings } from '../ptdpc/study/document.js';
import { type Board, type BoardPair, type Leaderboard, leaderboard, zeroShotRow } from '../ptdpc/study/leaderboard.js';
import type { StudyResults } from '../ptdpc/study/results.js';
import {
  type BoardTables,
  type DatasetTables,
  PAIRED_TESTS,
  pairsWords,
  shotsWords,
  studyTables,
} from '../ptdpc/study/tables.js';
import { heatMap } from './charts/heat-map.js';
import { MOST_INTERVALS, type ShotsLine, shotsChart } from './charts/shots.js';
import { type Html, html, ofP, points, signedPoints } from './format.js';
import { facts, figure, type Made, page, type Section } from './page/document.js';
import { tableSection } from './sections/result-table.js';

/** `board`: of the same results. */
export function studyReport(results: StudyResults, board: Leaderboard = leaderboard(results), made?: Made): string {
  const tables = studyTables(results, board);
  const [demonstration, others] = [
    results.demonstration,
    studyWarnings(results, board).filter((one) => one !== DEMONSTRATION),
  ];
  const overall: Section[] = tables.overall
    ? [{ id: 'overall', title: tables.overall.title ?? '', body: tableSection(tables.overall) }]
    : [];
  return page({
    kind: 'PT-DPC study',
    title: results.title,
    made,
    opening: html`${demonstration && html`<p class="notice">${DEMONSTRATION}</p>`}${others.map((one) => html`<p class="notice">${one}</p>`)}`,
    sections: [
      ...overall,
      ...tables.datasets.map((dataset, i) => ({
        ...{ id: `data-${i + 1}`, title: dataset.label },
        body: datasetBody(results, board, dataset),
      })),
      { id: 'made', title: 'How it was made', body: madeBody(results) },
    ],
    footer: `Written by ptdpc ${results.made.program}. This page loads nothing and runs no script.`,
  });
}

function datasetBody(results: StudyResults, { boards }: Leaderboard, tables: DatasetTables): Html {
  const own = boards.filter(({ dataset }) => dataset === tables.dataset);
  const [last, ...fewer] = [...tables.boards].sort((a, b) => byShots(b.board, a.board));
  return html`${accuracyFigure(results, tables, own)}
<h3>Accuracy</h3>${tableSection(tables.accuracy)}
${tables.selectedOnTest && html`<h3>What selecting on the test images would have added</h3>${tableSection(tables.selectedOnTest)}`}
${last && [html`<h3>Ranking with ${shotsWords(last.board.shots)}</h3>`, boardBody(results, last)]}
${fewer.map((one) => html`<details><summary>Ranking with ${shotsWords(one.board.shots)}</summary>${boardBody(results, one)}</details>`)}
<h3>Cost of a training with ${shotsWords(last?.board.shots ?? null)}</h3>${tableSection(tables.cost)}`;
}

/** All images last. */
function byShots(a: Pick<Board, 'shots'>, b: Pick<Board, 'shots'>): number {
  return (a.shots ?? Number.MAX_SAFE_INTEGER) - (b.shots ?? Number.MAX_SAFE_INTEGER);
}

function accuracyFigure(results: StudyResults, { label, accuracy }: DatasetTables, own: readonly Board[]): Html | null {
  const boards = [...own].sort(byShots);
  const zeroShot = zeroShotRow(results);
  const order = accuracy.rows.map(([heading]) => heading?.[0]);
  const lines = results.rows.map(({ name, label }): ShotsLine => {
    const found = boards.map(({ ranking }) => ranking.find(({ row }) => row === name));
    return {
      label,
      means: found.map((one) => one?.accuracy?.mean ?? null),
      intervals: found.map((one) => one?.accuracyInterval ?? null),
      isLevel: name === zeroShot,
    };
  });
  const drawing = shotsChart(
    lines,
    boards.map(({ shots }) => shots),
  );
  if (!drawing) return null;
  const sorted = [...lines].sort((a, b) => order.indexOf(a.label) - order.indexOf(b.label));
  const learned = lines.filter(({ isLevel }) => !isLevel).length;
  const bars =
    learned > MOST_INTERVALS
      ? 'Of so many lines the intervals are left to the table.'
      : 'Bars: 95 % intervals for new images and other seeds; lines stand a little beside one another.';
  return figure({
    title: `${label}: accuracy against training images per class`,
    drawing,
    summary: `Mean accuracy in per cent on ${label}, ${boards.map(({ shots }) => shotsWords(shots)).join(', ')}. ${sorted
      .map(
        (one) =>
          `${one.label}: ${one.isLevel ? points(one.means.find((mean) => mean !== null) ?? null, 1) : one.means.map((mean) => points(mean, 1)).join(', ')}`,
      )
      .join('. ')}.`,
    note: `Means over the seeds, on a logarithmic axis${boards.some(({ shots }) => shots === null) ? ' (all images: at its end)' : ''}.${zeroShot === null ? '' : ' Dotted: zero-shot, which learns nothing.'} ${bars} Learners are tested on the same images: whether two of them differ, the paired tests say.`,
    data: {
      label: `${label}: mean accuracy in per cent by shots`,
      head: ['', ...boards.map(({ shots }) => shotsWords(shots))],
      rows: sorted.map((one) => [one.label, ...one.means.map((mean) => points(mean, 1))]),
    },
  });
}

function boardBody(results: StudyResults, { board, ranking, pairs, distribution }: BoardTables): Html {
  return html`${tableSection(ranking)}
${pairs && pairsFigure(results, board, pairs.title ?? '')}
${distribution && tableSection(distribution)}`;
}

function pairsFigure(results: StudyResults, board: Board, title: string): Html {
  const names = board.ranking.flatMap(({ row, rank }) => (rank === null ? [] : row));
  const labelOf = (name: string) => results.rows.find((row) => row.name === name)?.label ?? name;
  const cells = names.map((first) =>
    names.map((second) => {
      const ahead = board.pairs.find((pair) => pair.first === first && pair.second === second);
      const behind = board.pairs.find((pair) => pair.first === second && pair.second === first);
      const found = ahead ?? behind;
      if (!found) return null;
      return { difference: ahead ? found.difference : -found.difference, toldApart: found.toldApart };
    }),
  );
  const most = Math.max(...board.pairs.map(({ difference }) => Math.abs(difference)), 1e-9);
  const words = pairsWords(results, board);
  return figure({
    title,
    drawing: heatMap({
      rows: names.map((name, i) => `${i + 1} ${labelOf(name)}`),
      columns: names.map((_, i) => `${i + 1}`),
      rowName: 'learner',
      ...{ columnName: 'minus the learner of this number', leastWidth: 38 },
      shades: cells.map((row) => row.map((cell) => (cell?.toldApart ? cell.difference / most : 0))),
      texts: cells.map((row) =>
        row.map((cell) => (cell === null ? '' : cell.toldApart ? signedPoints(cell.difference) : '≈')),
      ),
    }),
    summary: words,
    note: `Accuracy of the row minus that of the column, in points; ≈ and no shade: not told apart. ${words} ${PAIRED_TESTS}`,
    data: pairsTable(board.pairs, labelOf, title),
  });
}

function pairsTable(pairs: readonly BoardPair[], labelOf: (name: string) => string, label: string) {
  return {
    label,
    head: ['first – second', 'difference', '95 % interval', 'p', 'p by Holm', 'told apart', 'seeds'],
    rows: pairs.map(({ first, second, difference, interval, pValue, adjustedPValue, toldApart, seeds }) => [
      ...[`${labelOf(first)} – ${labelOf(second)}`, signedPoints(difference)],
      interval.map((share) => signedPoints(share)).join(' to '),
      ...[pOf(pValue), pOf(adjustedPValue), toldApart ? 'yes' : 'no', seeds],
    ]),
  };
}

const pOf = (value: number): string => ofP(value).replace(/^=\u00a0/, '');

function madeBody(results: StudyResults): Html {
  const { made, rows } = results;
  return html`<p>${madeWords(results)}.</p>${facts([
    ...rows.map((row) => [row.label, rowWords(row)] as const),
    ['SHA-256 of the weights', html`<code>${made.model.sha256}</code>`],
    ['seeds', made.seeds.join(', ')],
  ])}`;
}
