/** Results of an experiment as plain text for people. */
import { type Cell, type ExperimentResults, type ResultTable, resultDocument } from '../ptdpc/experiment/index.js';
import { table } from './tables.js';

/** `place`: the folder that holds them. */
export function resultText(results: ExperimentResults, place: string): string {
  const { title, warnings, made, tables } = resultDocument(results);
  return [`${title} (${place})`, ...warnings, ...tables.flatMap(tableText), `${made}.`, ''].join('\n\n');
}

function tableText({ title, caption, head, rows, foot, notes }: ResultTable): string[] {
  const body = [...rows, ...foot].flatMap(linesOf);
  return [
    ...(title === null ? [] : [title]),
    table([[...head], ...body]),
    ...(notes.length === 0 ? [] : [notes.join('\n')]),
    caption,
  ];
}

/** A row of cells with several lines is as many rows of text. */
function linesOf(cells: readonly Cell[]): string[][] {
  const height = Math.max(1, ...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, i) => cells.map((lines) => lines[i] ?? (i === 0 ? '-' : '')));
}
