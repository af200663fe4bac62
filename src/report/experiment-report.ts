/** The page of experiments: their tables beside the paper's figures, the accuracies of seeds, confusion matrices, pictures. */
import {
  type CaseResult,
  type CellResult,
  changeWords,
  type ExperimentResults,
  expectedCalibrationError,
  intervalNote,
  pooledCalibration,
  tableRows,
} from '../ptdpc/experiment/index.js';
import { seedChart } from './charts/seeds.js';
import { counted, points, shortest } from './format.js';
import { type Html, html, type Part } from './html.js';
import { page } from './page/document.js';
import { figure } from './page/figure.js';
import { facts, table } from './page/table.js';
import { calibrationFigure, MOST_SERIES } from './sections/calibration.js';
import { caseList, type Picture } from './sections/cases.js';
import { confusionFigures } from './sections/confusion.js';

export interface ExperimentsReport {
  readonly name: string;
  /** At least one. */
  readonly results: readonly ExperimentResults[];
  /** Pictures of Figure 5, by setting and path: `fi8/test/awe/1.jpg`. */
  readonly pictures: ReadonlyMap<string, Picture>;
}

export function experimentReport({ name, results, pictures }: ExperimentsReport): string {
  const demonstration = results.some((one) => one.demonstration);
  return page({
    kind: 'PT-DPC experiments',
    title: name,
    opening: html`${
      demonstration &&
      html`<p class="notice">A demonstration: drawn scenes and a small CLIP that was trained on such scenes. Neither data nor model
are the paper's, and no figure here is comparable with the paper's.</p>`
    }`,
    sections: results.map((one) => ({ id: one.experiment, title: one.title, body: experimentBody(one, pictures) })),
    footer: `Written by ptdpc ${results[0]!.made.program}. This page loads nothing and runs no script.`,
  });
}

function experimentBody(results: ExperimentResults, pictures: ReadonlyMap<string, Picture>): Html {
  const { cells, cases, experiment, made, variants, source } = results;
  const missing = cells.reduce((sum, cell) => sum + cell.missing.length, 0);
  return html`${missing > 0 && html`<p class="notice">Not finished: ${counted(missing, 'task')} without a result.</p>`}
${experiment.startsWith('table') && [accuracyTable(results), seedFigures(results), calibrationFigures(results), measureTable(results)]}
${experiment === 'figure4' && cells.map((cell) => confusionPart(results, cell))}
${experiment === 'figure5' && caseList(cases.map((one) => caseOf(results, one, pictures)))}
<details><summary>How it was made</summary>${facts([
    ...variants.map(({ label, description }) => [label, description] as const),
    ['preset', `${made.preset}${changeWords(made.changes)}`],
    ['seeds', made.seeds.join(', ')],
    ['model', made.model.name],
    ['SHA-256 of its weights', html`<code>${made.model.sha256}</code>`],
    ['devices', made.devices.join('; ')],
    ["the paper's figures", source],
  ])}</details>`;
}

function accuracyTable(results: ExperimentResults): Html {
  const rows = tableRows(results).map(({ label, cells }): Part[] => [
    label,
    ...cells.map(({ ours, interval, paper, difference }): Part => {
      if (ours === '' && paper === '') return '–';
      const beside = difference === '' ? `paper ${paper}` : `paper ${paper} (${difference})`;
      return [
        ours,
        interval !== '' && html`<small>${interval}</small>`,
        paper !== '' && html`<small>${beside}</small>`,
      ];
    }),
  ]);
  return html`<p>Accuracy in per cent: mean ± sample standard deviation over the seeds, [95 % interval of the mean]${
    results.source !== null && '; the paper’s figure, of one run, and the difference: ours minus the paper’s'
  }. ${intervalNote(results)}</p>${table({ label: results.title, head: ['', ...results.settings.map(({ label }) => label)], rows })}`;
}

function seedFigures({ settings, variants, cells }: ExperimentResults): Html {
  const figures = settings.map(({ name, label }) => {
    const rows = variants.map((variant) => {
      const cell = cells.find((one) => one.setting === name && one.variant === variant.name);
      return {
        label: variant.label,
        values: cell?.seeds.map(({ accuracy }) => accuracy) ?? [],
        mean: cell?.accuracy?.mean ?? null,
        interval: cell?.accuracy?.interval ?? null,
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

/** What the paper does not print. */
function measureTable({ title, settings, variants, cells }: ExperimentResults): Html {
  const labelOf = (all: readonly { name: string; label: string }[], name: string) =>
    all.find((one) => one.name === name)?.label ?? name;
  return html`<h3>Further measures</h3>${table({
    label: `${title}: further measures`,
    head: ['', 'setting', 'macro-F1 (%)', 'calibration error (%)', 'learning rates'],
    rows: cells.map(({ variant, setting, macroF1, calibrationError, seeds }) => [
      labelOf(variants, variant),
      labelOf(settings, setting),
      points(macroF1?.mean ?? null),
      points(calibrationError?.mean ?? null),
      seeds.map(({ learningRate }) => (learningRate === null ? '–' : shortest(learningRate, 3))).join(', '),
    ]),
  })}`;
}

function confusionPart({ settings, variants }: ExperimentResults, cell: CellResult): Html {
  const setting = settings.find(({ name }) => name === cell.setting);
  const variant = variants.find(({ name }) => name === cell.variant);
  return html`<h3>${setting?.label}: ${variant?.label}, ${counted(cell.seeds.length, 'seed')}</h3>
${cell.seeds.length > 0 && confusionFigures({ classes: setting?.classes ?? [], counts: cell.confusion })}`;
}

function caseOf({ settings }: ExperimentResults, one: CaseResult, pictures: ReadonlyMap<string, Picture>) {
  const classes = settings.find(({ name }) => name === one.setting)?.classes ?? [];
  const picture = pictures.get(`${one.setting}/${one.path}`) ?? { url: null, name: one.path };
  return { ...one, ...picture, actualProbability: one.probabilities[classes.indexOf(one.actual)] ?? 0 };
}
