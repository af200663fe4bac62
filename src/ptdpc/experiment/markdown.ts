/** Results as Markdown. */
import { resultDocument } from './document.js';
import type { ExperimentResults } from './results.js';
import type { Cell, ResultTable } from './tables.js';

export function markdownReport(results: ExperimentResults): string {
  const { title, warnings, made, rows, tables } = resultDocument(results);
  return [
    `# ${escapeMarkdown(title)}`,
    // Up to the colon they say what kind of warning they are.
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

/** What would be read as a column's end, emphasis, code or a tag. */
function escapeMarkdown(text: string): string {
  return text.replace(/[|*`<]/g, '\\$&');
}
