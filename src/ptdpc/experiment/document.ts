/** The document of an experiment's results, for every output format: warnings, how they were made, and the tables; Markdown and LaTeX. */
import { counted } from '../../errors.js';
import { type ExperimentResults, presetWords } from './results.js';
import { cellsOf, skippedWords } from './setting-facts.js';
import { type Cell, NOTE_LETTERS, type ResultTable, resultTables } from './tables.js';

export interface ResultDocument {
  title: string;
  /** Warnings that every reader should see, each `<what>: <sentences>`. */
  warnings: readonly string[];
  /** Preset, model, program and devices, in a sentence. */
  made: string;
  /** Label and description of each row that was computed; empty for figures. */
  rows: readonly (readonly [label: string, description: string])[];
  tables: readonly ResultTable[];
}

export function resultDocument(results: ExperimentResults): ResultDocument {
  const { title, experiment, variants } = results;
  return {
    title,
    warnings: resultWarnings(results),
    made: madeWords(results),
    rows: experiment.startsWith('table') ? variants.map(({ label, description }) => [label, description]) : [],
    tables: resultTables(results),
  };
}

function resultWarnings(results: ExperimentResults): string[] {
  const { demonstration, experiment, made } = results;
  return [
    ...(demonstration ? [DEMONSTRATION] : []),
    ...unfinishedWarning(results),
    ...imageWarnings(results),
    ...(experiment === 'table2' && made.changes.initNoise === 0 ? [EQUAL_PROMPTS] : []),
  ];
}

export const DEMONSTRATION =
  'A demonstration: drawn scenes and a small CLIP that was trained on such scenes. Neither the data nor the model is the ' +
  "paper's, so no figure here can stand beside the paper's.";

/** docs/method.md explains why. */
const EQUAL_PROMPTS =
  'Caution: in mode both, the prompts of all classes start equal and stay equal to the last bit unless there is noise on the start ' +
  '(--init-noise). The row “both” is then made of copies of one prompt, weighted by the image, as the row “instance-specific” is; what lies ' +
  'between the two rows is a factor, not information about classes.';

function unfinishedWarning({ cells }: ExperimentResults): string[] {
  const done = cells.reduce((sum, cell) => sum + cell.seeds.length, 0);
  const missing = cells.reduce((sum, cell) => sum + cell.missing.length, 0);
  if (missing === 0) return [];
  return [
    `Not finished: ${done} of ${counted(done + missing, 'task')} have a result; every figure that lacks seeds says how many it is of.`,
  ];
}

/** Which images were left out, which were read from truncated files, and which are both trained and tested on; empty if there are none. */
export function imageWarnings(results: ExperimentResults): string[] {
  const wordsOf = (what: 'skipped' | 'truncated') =>
    results.settings.flatMap(({ name, label }) => {
      const some = skippedWords(results, name, what);
      return some.length === 0 ? [] : [`${label} ${some.join(' and ')}`];
    });
  const [skipped, truncated] = [wordsOf('skipped'), wordsOf('truncated')];
  const warnings: string[] = [];
  if (skipped.length > 0)
    warnings.push(
      `Images left out because they could not be read: ${skipped.join('; ')}. results.json lists them; a plan with --strict refuses them.`,
    );
  if (truncated.length > 0)
    warnings.push(
      `Images read though their files are cut short (--truncated read): ${truncated.join('; ')}. results.json lists them.`,
    );
  const seen = results.settings.flatMap(({ name, label }) => {
    const most = cellsOf(results, name)
      .flatMap(({ seeds }) => seeds)
      .reduce((most, { images }) => Math.max(most, images?.seen ?? 0), 0);
    return most === 0 ? [] : [`${label} ${counted(most, 'image')}`];
  });
  if (seen.length > 0)
    warnings.push(
      `Test images that are training images too, by the content of their files: ${seen.join('; ')}. Accuracies count them; ptdpc data --duplicates lists them.`,
    );
  return warnings;
}

function madeWords({ made }: ExperimentResults): string {
  return [
    `Preset ${presetWords(made)}`,
    made.seeds.length === 1 ? 'one seed' : `${made.seeds.length} seeds`,
    `model ${made.model.name} (SHA-256 ${made.model.sha256.slice(0, 12)}…)`,
    `ptdpc ${made.program}`,
    made.devices.join('; ') || 'no device yet',
  ].join(', ');
}

export function markdownReport(results: ExperimentResults): string {
  return markdownDocument(resultDocument(results));
}

export function markdownDocument({ title, warnings, made, rows, tables }: ResultDocument): string {
  return [
    `# ${escapeMarkdown(title)}`,
    // The part before the colon is the kind of warning.
    ...warnings.map((warning) => escapeMarkdown(warning).replace(/^[^:]+/, '**$&**')),
    `${escapeMarkdown(made)}.`,
    rows.map(([label, description]) => `- ${escapeMarkdown(label)}: ${escapeMarkdown(description)}`).join('\n'),
    ...tables.flatMap(tableParts),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
}

function tableParts({ title, caption, head, rows, foot, notes }: ResultTable): string[] {
  return [
    title === null ? '' : `## ${escapeMarkdown(title)}`,
    escapeMarkdown(caption),
    markdownTable(head, [...rows, ...foot]),
    notes.map(escapeMarkdown).join('<br>\n'),
  ];
}

function markdownTable(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const body = rows.map((cells) => line(cells.map((lines) => lines.map(escapeMarkdown).join('<br>') || '–')));
  return [
    line(head.map(escapeMarkdown)),
    `|${head.map((_, i) => (i === 0 ? '---' : '---:')).join('|')}|`,
    ...body,
  ].join('\n');
}

/** A line of text, escaped: nothing in it is parsed as a column's end, emphasis, code, a link, a tag, or an expression of the docs' templates. */
export function escapeMarkdown(text: string): string {
  return oneLine(text)
    .replace(/[\\|*`<]|\](?=[([])/g, '\\$&')
    .replace(/\{(?=\{)/g, '{<!-- -->');
}

// By lines: an expression that takes the white space around a line break would search every run of spaces from each of its characters.
const oneLine = (text: string) => {
  const lines = text.split(/[\r\n\u2028\u2029]+/);
  return lines.length === 1 ? text : lines.map((line) => line.trim()).join(' ');
};

export function latexReport(results: ExperimentResults): string {
  return latexDocument(resultDocument(results), results.experiment);
}

/** `label`: of the first table, and what those of the others begin with. */
export function latexDocument(document: ResultDocument, label: string): string {
  return [
    `% ${oneLine(document.title)}. Needs \\usepackage{booktabs,makecell}.`,
    ...document.tables.map((table, i) => environment(document, table, i === 0 ? label : `${label}-${table.name}`)),
    '',
  ].join('\n');
}

function environment({ title, warnings, made }: ResultDocument, table: ResultTable, label: string): string {
  const name = title.replace(/^(?:Table|Figure) \d+: /, '');
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

/** The part before the colon is the kind of warning. */
function warningLatex(warning: string): string {
  const [, kind = '', rest = ''] = /^([^:]+)(.*)$/s.exec(warning) ?? [];
  return `\\textbf{${escapeLatex(kind)}}${escapeLatex(rest)}`;
}

function tabular({ head, rows, foot }: ResultTable): string {
  // A row that begins with [ would be the optional argument of the line break before it, and * its starred form.
  const line = (cells: readonly string[]) => `${cells.join(' & ').replace(/^(?=[[*])/, '{}')} \\\\`;
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
  if (lines.length > 1) return `\\makecell{${lines.map((line) => `{${escapeLatex(line)}}`).join(' \\\\ ')}}`;
  return lines[0] === undefined ? '--' : escapeLatex(lines[0]);
}

const SPECIAL: ReadonlyMap<string, string> = new Map([
  ['\\', '\\textbackslash{}'],
  ['~', '\\textasciitilde{}'],
  ['^', '\\textasciicircum{}'],
  ['±', '$\\pm$'],
  ['−', '$-$'],
  // Two hyphens in a row, as in options, would be typeset as a dash.
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
  return oneLine(text).replace(SPECIALS, (character) => SPECIAL.get(character) ?? character);
}
