/** What a table of results says, cell by cell, before it becomes Markdown or LaTeX. */
import type { CellResult, ExperimentResults } from './results.js';

/** One column's part of a row: our figure and its interval, the paper's, and the difference. Empty where there is none. */
export interface TableCell {
  ours: string;
  interval: string;
  paper: string;
  difference: string;
}

export interface TableRow {
  label: string;
  /** False for rows that only the paper has. */
  computed: boolean;
  cells: TableCell[];
}

const NONE: TableCell = { ours: '', interval: '', paper: '', difference: '' };

/** Rows in the order of the paper: quoted methods, then ours, then Table 3's spread. */
export function tableRows(results: ExperimentResults): TableRow[] {
  const { settings, variants, cells, quoted, spread } = results;
  const rows: TableRow[] = quoted.map(({ label, accuracies }) => ({
    label,
    computed: false,
    cells: accuracies.map((figure) => ({ ...NONE, paper: percent(figure) })),
  }));
  for (const { name, label } of variants) {
    const find = (setting: string) => cells.find((cell) => cell.variant === name && cell.setting === setting);
    rows.push({ label, computed: true, cells: settings.map((setting) => tableCell(find(setting.name))) });
  }
  if (spread.length > 0) {
    rows.push({
      label: 'Std. of the templates',
      computed: true,
      cells: spread.map(({ std, paper }) => ({ ...NONE, ours: percent(std), paper: percent(paper) })),
    });
  }
  return rows;
}

function tableCell(cell: CellResult | undefined): TableCell {
  if (!cell?.accuracy) return { ...NONE, paper: percent(cell?.paper ?? null) };
  const { mean, std, interval } = cell.accuracy;
  return {
    ours: std === null ? percent(mean) : `${percent(mean)} ± ${percent(std)}`,
    interval: interval === null ? '' : `[${percent(interval[0])}, ${percent(interval[1])}]`,
    paper: percent(cell.paper),
    difference: cell.difference === null ? '' : signed(cell.difference),
  };
}

/** What is to be said of intervals that no accuracy can fill; empty where there is none. */
export function intervalNote({ cells }: ExperimentResults): string {
  const beyond = cells.some(
    ({ accuracy }) => accuracy?.interval && (accuracy.interval[0] < 0 || accuracy.interval[1] > 1),
  );
  return beyond ? "An interval that passes 0 or 100 is Student's t on too few seeds." : '';
}

/** A share in per cent, two digits after the point; empty for null. */
export function percent(share: number | null): string {
  return share === null ? '' : (100 * share).toFixed(2);
}

function signed(share: number): string {
  const text = percent(Math.abs(share));
  if (text === '0.00') return text;
  return `${share > 0 ? '+' : '−'}${text}`;
}
