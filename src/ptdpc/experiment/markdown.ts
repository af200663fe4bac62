/** Results as Markdown. */
import { type CellResult, changeWords, type ExperimentResults } from './results.js';
import { intervalNote, percent, type TableCell, tableRows } from './tables.js';

export function markdownReport(results: ExperimentResults): string {
  return [
    `# ${results.title}`,
    notes(results).join('\n\n'),
    ...(results.experiment === 'figure4'
      ? results.cells.map((cell) => confusionSection(results, cell))
      : results.experiment === 'figure5'
        ? [caseTable(results)]
        : [accuracyTable(results), measureTable(results)]),
    missingNote(results),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
}

function notes(results: ExperimentResults): string[] {
  const { demonstration, source, made, variants, experiment } = results;
  const said = [];
  if (demonstration) {
    said.push(
      '**A demonstration**: drawn scenes and a small CLIP that was trained on such scenes. Neither the data nor the model is the ' +
        "paper's, so no figure here can stand beside the paper's.",
    );
  }
  const seeds = made.seeds.length === 1 ? 'one seed' : `${made.seeds.length} seeds`;
  const table = experiment.startsWith('table');
  said.push(
    `Preset \`${made.preset}\`${changeWords(made.changes)}, ${seeds}, model \`${made.model.name}\`, ptdpc ${made.program}, ` +
      `${made.devices.join('; ') || 'no device yet'}.` +
      (table
        ? ' Accuracy in per cent: mean ± sample standard deviation over the seeds, [95 % interval of the mean].'
        : '') +
      (table && intervalNote(results) ? ` ${intervalNote(results)}` : '') +
      (table && source ? ` Paper: ${source}; its figures are of one run. Difference: ours minus the paper's.` : ''),
  );
  if (table) said.push(variants.map(({ label, description }) => `- ${label}: ${description}`).join('\n'));
  return said;
}

function accuracyTable(results: ExperimentResults): string {
  const lines = (cell: TableCell) => {
    const paper = [cell.paper && `paper ${cell.paper}`, cell.difference && `(${cell.difference})`].filter(Boolean);
    return [cell.ours, cell.interval, paper.join(' ')].filter(Boolean).join('<br>') || '–';
  };
  return table([
    ['', ...results.settings.map(({ label }) => label)],
    ...tableRows(results).map(({ label, cells }) => [label, ...cells.map(lines)]),
  ]);
}

/** Macro-F1, calibration error and learning rates, which the paper does not print. */
function measureTable({ settings, variants, cells }: ExperimentResults): string {
  const row = ({ setting, variant, macroF1, calibrationError, seeds }: CellResult) => [
    variants.find(({ name }) => name === variant)?.label ?? variant,
    settings.find(({ name }) => name === setting)?.label ?? setting,
    macroF1 ? percent(macroF1.mean) : '–',
    calibrationError ? percent(calibrationError.mean) : '–',
    seeds.map(({ learningRate }) => learningRate ?? '–').join(', '),
  ];
  const head = ['', 'setting', 'macro-F1', 'expected calibration error', 'learning rate of each seed'];
  return table([head, ...cells.map(row)]);
}

function confusionSection({ settings, variants }: ExperimentResults, cell: CellResult): string {
  const setting = settings.find(({ name }) => name === cell.setting);
  const classes = setting?.classes ?? [];
  const label = variants.find(({ name }) => name === cell.variant)?.label;
  return [
    `## ${setting?.label}: ${label}`,
    `Images of each class (rows) by the class that was predicted, summed over ${cell.seeds.length} seeds, with the share of the row in per cent.`,
    table([
      ['true \\ predicted', ...classes],
      ...cell.confusion.map((row, i) => [
        classes[i] ?? '',
        ...row.map((count, j) => `${count} (${percent(cell.confusionShares[i]?.[j] ?? null)})`),
      ]),
    ]),
  ].join('\n\n');
}

function caseTable({ settings, cases }: ExperimentResults): string {
  const label = (name: string) => settings.find((setting) => setting.name === name)?.label ?? name;
  return [
    'Of each data set, the surest right and the surest wrong prediction of the first seed.',
    table([
      ['data set', 'image', 'prediction', 'ground truth', 'probability'],
      ...cases.map((one) => [
        label(one.setting),
        `\`${one.path}\``,
        one.predicted,
        one.actual,
        percent(one.probability),
      ]),
    ]),
  ].join('\n\n');
}

function missingNote({ cells }: ExperimentResults): string {
  const missing = cells.reduce((sum, cell) => sum + cell.missing.length, 0);
  return missing === 0 ? '' : `**Not finished**: ${missing} of the tasks have no result yet.`;
}

function table(rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), `|${head.map((_, i) => (i === 0 ? '---' : '---:')).join('|')}|`, ...body.map(line)].join('\n');
}
