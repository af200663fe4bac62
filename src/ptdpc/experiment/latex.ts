/** Results as LaTeX: a `table` environment for packages booktabs and makecell. */
import type { ExperimentResults } from './results.js';
import { percent, type TableCell, tableRows } from './tables.js';

export function latexReport(results: ExperimentResults): string {
  const { title, experiment } = results;
  const bodies =
    experiment === 'figure4' ? confusions(results) : [experiment === 'figure5' ? cases(results) : accuracies(results)];
  return [
    `% ${title}. Needs \\usepackage{booktabs,makecell}.`,
    ...bodies.map(({ body, caption, name }) =>
      [
        '\\begin{table}',
        '\\centering',
        body,
        `\\caption{${escapeLatex(caption)}}`,
        `\\label{tab:${name}}`,
        '\\end{table}',
      ].join('\n'),
    ),
    '',
  ].join('\n');
}

interface Body {
  body: string;
  caption: string;
  name: string;
}

function accuracies(results: ExperimentResults): Body {
  const { settings, title, demonstration, experiment } = results;
  const rows = tableRows(results).map(({ label, cells }) => [escapeLatex(label), ...cells.map(latexCell)]);
  const what = 'Accuracy in per cent: mean ± sample standard deviation over the seeds, 95 % interval';
  const rest = demonstration ? 'A demonstration on drawn scenes.' : "Paper: its figure, and ours minus the paper's.";
  return {
    body: tabular([['', ...settings.map(({ label }) => escapeLatex(label))], ...rows]),
    caption: `${title.replace(/^[^:]+: /, '')}. ${what}. ${rest}`,
    name: experiment,
  };
}

function latexCell({ ours, interval, paper, difference }: TableCell): string {
  const quoted = [paper && `paper ${paper}`, difference && `(${difference})`].filter(Boolean).join(' ');
  const lines = [ours, interval, quoted].filter(Boolean).map(escapeLatex);
  // A line that begins with [ would read as the optional argument of the line break before it.
  return lines.length > 1 ? `\\makecell{${lines.map((line) => `{${line}}`).join(' \\\\ ')}}` : (lines[0] ?? '--');
}

function confusions({ cells, settings, experiment }: ExperimentResults): Body[] {
  return cells.map((cell) => {
    const setting = settings.find(({ name }) => name === cell.setting);
    const classes = (setting?.classes ?? []).map(escapeLatex);
    return {
      body: tabular([['', ...classes], ...cell.confusion.map((row, i) => [classes[i] ?? '', ...row.map(String)])]),
      caption: `Confusion on ${setting?.label}: images of each class (rows) by predicted class, summed over ${cell.seeds.length} seeds`,
      name: `${experiment}-${cell.setting}`,
    };
  });
}

function cases({ cases, settings, experiment }: ExperimentResults): Body {
  const label = (name: string) => settings.find((setting) => setting.name === name)?.label ?? name;
  const rows = cases.map((one) =>
    [label(one.setting), one.predicted, one.actual, percent(one.probability), one.path].map(escapeLatex),
  );
  return {
    body: tabular([['Data set', 'Prediction', 'Ground truth', 'Probability', 'Image'], ...rows]),
    caption: 'Of each data set, the surest right and the surest wrong prediction',
    name: experiment,
  };
}

function tabular(rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `${cells.join(' & ')} \\\\`;
  const [head = [], ...body] = rows;
  return [
    `\\begin{tabular}{l${'c'.repeat(head.length - 1)}}`,
    '\\toprule',
    line(head),
    '\\midrule',
    ...body.map(line),
    '\\bottomrule',
    '\\end{tabular}',
  ].join('\n');
}

const SPECIAL: ReadonlyMap<string, string> = new Map([
  ['\\', '\\textbackslash{}'],
  ['~', '\\textasciitilde{}'],
  ['^', '\\textasciicircum{}'],
  ['±', '$\\pm$'],
  ['−', '$-$'],
  ...Array.from('&%$#_{}', (character) => [character, `\\${character}`] as const),
]);

export function escapeLatex(text: string): string {
  return text.replace(/[\\~^±−&%$#_{}]/g, (character) => SPECIAL.get(character) ?? character);
}
