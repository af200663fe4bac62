/** Results as LaTeX: a `table` environment for each table, for packages booktabs and makecell. Each carries all that is to be known of it. */
import { type ResultDocument, resultDocument } from './document.js';
import type { ExperimentResults } from './results.js';
import { type Cell, NOTE_LETTERS, type ResultTable } from './tables.js';

export function latexReport(results: ExperimentResults): string {
  const document = resultDocument(results);
  return [
    `% ${document.title}. Needs \\usepackage{booktabs,makecell}.`,
    ...document.tables.map((table, i) =>
      environment(document, table, i === 0 ? results.experiment : `${results.experiment}-${table.name}`),
    ),
    '',
  ].join('\n');
}

function environment({ title, warnings, made }: ResultDocument, table: ResultTable, label: string): string {
  const name = title.replace(/^[^:]+: /, '');
  const subject = [name.charAt(0).toUpperCase() + name.slice(1), ...(table.title === null ? [] : [table.title])].join(
    '. ',
  );
  const below = [...table.notes, `${made}.`];
  return [
    '\\begin{table}',
    '\\centering',
    tabular(table),
    `\\caption{${[`${escapeLatex(subject)}.`, ...warnings.map(warningLatex), escapeLatex(table.caption)].join(' ')}}`,
    `\\label{tab:${label}}`,
    ...below.map((line) => `\\par\\smallskip{\\footnotesize ${escapeLatex(line)}\\par}`),
    '\\end{table}',
  ].join('\n');
}

/** Up to the colon it says what kind of warning it is. */
function warningLatex(warning: string): string {
  const [, kind = '', rest = ''] = /^([^:]+)(.*)$/s.exec(warning) ?? [];
  return `\\textbf{${escapeLatex(kind)}}${escapeLatex(rest)}`;
}

function tabular({ head, rows, foot }: ResultTable): string {
  const line = (cells: readonly string[]) => `${cells.join(' & ')} \\\\`;
  const body = (part: readonly (readonly Cell[])[]) => part.map((cells) => line(cells.map(latexCell)));
  return [
    `\\begin{tabular}{l${'c'.repeat(head.length - 1)}}`,
    '\\toprule',
    line(head.map(escapeLatex)),
    '\\midrule',
    ...body(rows),
    ...(foot.length === 0 ? [] : ['\\midrule', ...body(foot)]),
    '\\bottomrule',
    '\\end{tabular}',
  ].join('\n');
}

function latexCell(lines: Cell): string {
  // A line that begins with [ would read as the optional argument of the line break before it.
  if (lines.length > 1) return `\\makecell{${lines.map((line) => `{${escapeLatex(line)}}`).join(' \\\\ ')}}`;
  return lines[0] === undefined ? '--' : escapeLatex(lines[0]);
}

const SPECIAL: ReadonlyMap<string, string> = new Map([
  ['\\', '\\textbackslash{}'],
  ['~', '\\textasciitilde{}'],
  ['^', '\\textasciicircum{}'],
  ['±', '$\\pm$'],
  ['−', '$-$'],
  // Two hyphens in a row, as options have them, would be set as a dash.
  ['--', '-{}-'],
  ['–', '--'],
  ['…', '\\dots{}'],
  ['“', '``'],
  ['”', "''"],
  ...Array.from('&%$#_{}', (character) => [character, `\\${character}`] as const),
  ...Array.from(NOTE_LETTERS, (letter) => [letter, `\\textsuperscript{${letter.normalize('NFKD')}}`] as const),
]);

const SPECIALS = new RegExp([...SPECIAL.keys()].map((text) => text.replace(/[\\^${}]/, '\\$&')).join('|'), 'g');

export function escapeLatex(text: string): string {
  return text.replace(SPECIALS, (character) => SPECIAL.get(character) ?? character);
}
