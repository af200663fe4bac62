/** The page of experiments: their tables beside the paper's figures, the accuracies of seeds, confusion matrices, pictures. */
import {
  type CaseResult,
  type CellResult,
  DEMONSTRATION,
  type ExperimentResults,
  expectedCalibrationError,
  pooledCalibration,
  presetWords,
  type ResultTable,
  resultDocument,
  type SkippedFile,
} from '../ptdpc/experiment/index.js';
import { seedChart } from './charts/seeds.js';
import { counted, type Html, html, type Part, points } from './format.js';
import { facts, figure, type Made, page } from './page/document.js';
import { confusionFigures } from './sections/confusion.js';
import { calibrationFigure, caseList, type Picture } from './sections/predictions.js';
import { tableSection } from './sections/result-table.js';
import { MOST_SERIES } from './series.js';

export interface ExperimentsReport {
  readonly name: string;
  /** At least one. */
  readonly results: readonly ExperimentResults[];
  /** Pictures of Figure 5, by setting and path: `fi8/test/awe/1.jpg`. */
  readonly pictures: ReadonlyMap<string, Picture>;
}

export function experimentReport({ name, results, pictures }: ExperimentsReport, made?: Made): string {
  const demonstration = results.some((one) => one.demonstration);
  return page({
    kind: 'PT-DPC experiments',
    title: name,
    made,
    opening: html`${demonstration && html`<p class="notice">${DEMONSTRATION}</p>`}`,
    sections: results.map((one) => ({ id: one.experiment, title: one.title, body: experimentBody(one, pictures) })),
    footer: `Written by ptdpc ${results[0]!.made.program}. This page loads nothing and runs no script.`,
  });
}

function experimentBody(results: ExperimentResults, pictures: ReadonlyMap<string, Picture>): Html {
  const { cells, cases, experiment, made, source } = results;
  const document = resultDocument(results);
  const [main, metrics] = document.tables;
  return html`${document.warnings
    .filter((warning) => warning !== DEMONSTRATION)
    .map((warning) => html`<p class="notice">${warning}</p>`)}
${
  experiment.startsWith('table') &&
  main &&
  metrics && [
    tableSection(main),
    seedFigures(results),
    calibrationFigures(results),
    html`<h3>${metrics.title}</h3>`,
    tableSection(metrics),
  ]
}
${experiment === 'figure4' && cells.map((cell, i) => confusionPart(results, cell, document.tables[i]!))}
${experiment === 'figure5' && main && [caseList(cases.map((one) => caseOf(results, one, pictures))), html`<p>${main.caption}</p>`]}
<details><summary>How it was made</summary>${facts([
    ...document.rows,
    ['preset', presetWords(made)],
    ['seeds', made.seeds.join(', ')],
    ['model', made.model.name],
    ['SHA-256 of its weights', html`<code>${made.model.sha256}</code>`],
    ['devices', made.devices.join('; ')],
    ["the paper's figures", source],
    ...results.settings
      .filter(({ skipped }) => skipped.length > 0)
      .map(({ label, skipped }) => [`left out of ${label}`, skippedList(skipped)] as const),
    ...results.settings
      .filter(({ truncated }) => truncated.length > 0)
      .map(({ label, truncated }) => [`cut short in ${label}`, truncatedList(truncated)] as const),
  ])}</details>`;
}

const MOST_SKIPPED = 20;

function skippedList(skipped: readonly SkippedFile[]): Part {
  const more = skipped.length - MOST_SKIPPED;
  return [
    skipped.slice(0, MOST_SKIPPED).map(({ path, reason }) => html`<code>${path}</code>: ${reason}<br>`),
    more > 0 && `and ${counted(more, 'image')} more, listed in results.json`,
  ];
}

function truncatedList(paths: readonly string[]): Part {
  const more = paths.length - MOST_SKIPPED;
  return [
    paths.slice(0, MOST_SKIPPED).map((path) => html`<code>${path}</code><br>`),
    more > 0 && `and ${counted(more, 'image')} more, listed in results.json`,
  ];
}

function seedFigures({ settings, variants, cells }: ExperimentResults): Html {
  const figures = settings.map(({ name, label }) => {
    const rows = variants.map((variant) => {
      const cell = cells.find((one) => one.setting === name && one.variant === variant.name);
      return {
        label: variant.label,
        values: cell?.seeds.map(({ accuracy }) => accuracy) ?? [],
        mean: cell?.accuracy?.mean ?? null,
        interval: cell?.accuracyInterval ?? null,
        paper: cell?.paper ?? null,
      };
    });
    const drawing = seedChart(rows);
    if (!drawing) return null;
    return figure({
      title: label,
      drawing,
      summary: `Accuracy of each seed in per cent, ${label}. ${rows
        .map(
          (row) =>
            `${row.label}: mean ${points(row.mean)} of ${counted(row.values.length, 'seed')}${row.paper === null ? '' : `, paper ${points(row.paper)}`}`,
        )
        .join('. ')}.`,
      keys: [
        { mark: 'dot', color: 'first', text: 'seed' },
        { mark: 'bar', color: 'first', text: 'mean' },
        { mark: 'band', color: 'first', text: '95 % interval' },
        ...(rows.some(({ paper }) => paper !== null)
          ? [{ mark: 'diamond', color: 'second', text: 'paper' } as const]
          : []),
      ],
      data: {
        label: `${label}: accuracy of each seed, in per cent`,
        head: ['', 'seeds', 'mean', 'paper'],
        rows: rows.map((row) => [
          row.label,
          row.values.map((value) => points(value)).join(', '),
          points(row.mean),
          points(row.paper),
        ]),
      },
    });
  });
  return html`<h3>Accuracy of each seed</h3><div class="charts pair">${figures}</div>`;
}

/** A diagram for each setting, the seeds of a row taken together. */
function calibrationFigures({ settings, variants, cells }: ExperimentResults): Html | null {
  const figures = settings.map(({ name, label }) => {
    const series = variants.flatMap((variant) => {
      const cell = cells.find((one) => one.setting === name && one.variant === variant.name);
      const groups = pooledCalibration(cell?.seeds.map(({ calibration }) => calibration) ?? []);
      return groups.length === 0 ? [] : [{ label: variant.label, groups, error: expectedCalibrationError(groups) }];
    });
    if (series.length === 0) return null;
    // The last rows are those of the method; four lines are as many as can be told apart.
    const drawn = series.slice(-MOST_SERIES);
    const left = series.length - drawn.length;
    return calibrationFigure(
      label,
      drawn,
      `Predictions of all seeds together, 15 bins of equal width.${left > 0 ? ` Without the first ${counted(left, 'row')} of the table.` : ''}`,
    );
  });
  const any = figures.some((one) => one !== null);
  return any ? html`<h3>Calibration</h3><div class="charts pair">${figures}</div>` : null;
}

function confusionPart({ settings }: ExperimentResults, cell: CellResult, { title, caption }: ResultTable): Html {
  const setting = settings.find(({ name }) => name === cell.setting);
  return html`<h3>${title}</h3><p>${caption}</p>
${cell.seeds.length > 0 && confusionFigures({ classes: setting?.classes ?? [], pairs: cell.confusionPairs })}`;
}

function caseOf({ settings }: ExperimentResults, one: CaseResult, pictures: ReadonlyMap<string, Picture>) {
  const classes = settings.find(({ name }) => name === one.setting)?.classes ?? [];
  const picture = pictures.get(`${one.setting}/${one.path}`) ?? { url: null, name: one.path };
  return { ...one, ...picture, actualProbability: one.probabilities[classes.indexOf(one.actual)] ?? 0 };
}
