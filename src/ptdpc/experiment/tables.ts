/**
 * The tables of an experiment, each described once: its cells, line by line, the facts under its columns, and its notes. The
 * terminal, Markdown, LaTeX and the report only format them.
 */
import { counted } from '../../errors.js';
import { classCounts, confusionMatrix, MOST_IN_MATRIX, mistakes } from '../confusion.js';
import { SPLITS } from '../datasets/index.js';
import { balancedAccuracy, classesWithoutImages, rowShares } from '../metrics.js';
import type { CellResult, ExperimentResults, SeedEffect, SpreadResult } from './results.js';
import { settingFacts, skippedWords } from './setting-facts.js';
import { summarize } from './statistics.js';

export interface ResultTable {
  /** `accuracy`, `metrics`, `confusion-fi8`, `cases`. */
  name: string;
  /** Null if the experiment's title is enough. */
  title: string | null;
  /** What the cells are, in sentences. */
  caption: string;
  head: readonly string[];
  /** Each cell in lines, the first one the row's heading; a cell of no lines is empty. */
  rows: readonly (readonly Cell[])[];
  /** Rows about the columns, set apart from the others. */
  foot: readonly (readonly Cell[])[];
  /** Each begins with the superscript letter that refers to it. */
  notes: readonly string[];
}

export type Cell = readonly string[];

/** Mistakes of very many classes. */
const LISTED = 20;

/** The tables of an experiment, in order. */
export function resultTables(results: ExperimentResults): ResultTable[] {
  switch (results.experiment) {
    case 'figure4':
      return results.cells.map((cell) => confusionTable(results, cell));
    case 'figure5':
      return [caseTable(results)];
    default:
      return [accuracyTable(results), measureTable(results)];
  }
}

/** Superscript letters, which terminals and pages can show. */
export const NOTE_LETTERS = 'ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖ';

/** Notes to cells: equal ones share a letter. */
export class Notes {
  readonly #texts: string[] = [];

  mark(text: string): string {
    if (!this.#texts.includes(text)) this.#texts.push(text);
    return letters(this.#texts.indexOf(text));
  }

  lines(): string[] {
    return this.#texts.map((text, i) => `${letters(i)} ${text}`);
  }
}

function letters(place: number): string {
  const letter = NOTE_LETTERS[place % NOTE_LETTERS.length]!;
  return letter.repeat(1 + Math.floor(place / NOTE_LETTERS.length));
}

/** Rows in the order of the paper: quoted methods, then ours, then Table 3's spread. */
function accuracyTable(results: ExperimentResults): ResultTable {
  const { settings, variants, cells, quoted, spread, source } = results;
  const notes = new Notes();
  const facts = settings.map(({ name }) => settingFacts(results, name));
  const head = settings.map(({ name, label }) => {
    const left = skippedWords(results, name);
    if (left.length === 0) return label;
    const compared = source === null ? '' : "; the paper's figures are of all images";
    return label + notes.mark(`${left.join(' and ')} could not be read and are left out of our figures${compared}.`);
  });
  const rows: Cell[][] = quoted.map(({ label, accuracies }) => [
    [label],
    ...accuracies.map((figure) => paperLines(figure, null)),
  ]);
  for (const { name, label, note } of variants) {
    const find = (setting: string) => cells.find((cell) => cell.variant === name && cell.setting === setting);
    const heading = note === null ? label : label + notes.mark(note);
    rows.push([
      [heading],
      ...settings.map((setting, i) => accuracyLines(find(setting.name), facts[i]!.effects, notes)),
    ]);
  }
  if (spread.length > 0)
    rows.push([
      [`Std. of the templates${notes.mark(spreadNote(source))}`],
      ...spread.map((one) => spreadLines(one, notes)),
    ]);
  const paper =
    source === null
      ? ''
      : ` Paper: the figure that it prints (${source}), which does not say of how many runs it is; in parentheses ours minus the paper's.`;
  return {
    name: 'accuracy',
    title: null,
    caption:
      'Accuracy in per cent: mean ± sample standard deviation over the seeds (the last row says what they change). In brackets the 95 % ' +
      `interval for new images: Wilson's score interval over the test images, widened by the spread between seeds.${paper}`,
    head: ['', ...head],
    rows,
    foot: [
      [['split'], ...facts.map(({ split }) => [split])],
      [['train / val / test images'], ...facts.map(({ images }) => [images])],
      [['the seeds change'], ...facts.map(({ seeds, effects }) => [counted(seeds, 'seed'), effectWords(effects)])],
    ],
    notes: notes.lines(),
  };
}

/** Our value, its interval, the paper's, and the number of seeds if some are missing. `effects`: what varies with the seed in the column. */
function accuracyLines(cell: CellResult | undefined, effects: readonly SeedEffect[] | null, notes: Notes): string[] {
  if (!cell) return [];
  const { accuracy, accuracyInterval, varies, seeds, missing, paper, difference } = cell;
  const lines = paperLines(paper, difference);
  if (accuracy) {
    const { mean, std } = accuracy;
    // If results do not record what varied with their seeds, equal ones are taken as deterministic.
    const spread = std !== null && (varies === null ? std > 0 : varies.length > 0);
    const less = varies !== null && effects !== null && varies.length < effects.length;
    const only = varies?.length === 0 ? 'nothing, so that all give one value' : `only: ${effectWords(varies)}`;
    const mark = less ? notes.mark(`In this row the seeds change ${only}.`) : '';
    const interval = accuracyInterval ? [`[${percent(accuracyInterval[0])}, ${percent(accuracyInterval[1])}]`] : [];
    lines.unshift(`${percent(mean)}${spread ? ` ± ${percent(std)}` : ''}${mark}`, ...interval);
  }
  if (missing.length > 0) lines.push(`${seeds.length} of ${counted(seeds.length + missing.length, 'seed')}`);
  return lines;
}

function paperLines(paper: number | null, difference: number | null, mark = ''): string[] {
  if (paper === null) return [];
  return [`paper ${percent(paper)}${mark}${difference === null ? '' : ` (${signed(difference)})`}`];
}

function spreadNote(source: string | null): string {
  const ours = "Ours: the sample standard deviation of the templates' means over the seeds.";
  return source === null ? ours : `${ours} The paper's: that of the one figure that it prints for each template.`;
}

/** The paper prints four digits of a share: if they do not follow from its own values, a note has those that would. */
function spreadLines({ std, paper, paperComputed }: SpreadResult, notes: Notes): string[] {
  const misprint = paper !== null && paperComputed !== null && paperComputed.toFixed(4) !== paper.toFixed(4);
  const mark = misprint
    ? notes.mark(
        `Printed as ${paper.toFixed(4)}; the sample standard deviation of the paper's three figures is ${paperComputed.toFixed(4)}.`,
      )
    : '';
  return [...(std === null ? [] : [percent(std)]), ...paperLines(paper, null, mark)];
}

const EFFECT_WORDS: Readonly<Record<SeedEffect, string>> = {
  order: 'order of images',
  start: 'start',
  'held-out': 'held-out tenth',
  split: 'split',
  fold: 'fold',
};

/** What varies with the seed, in words. */
export function effectWords(effects: readonly SeedEffect[] | null): string {
  if (effects === null) return 'not recorded';
  return effects.map((effect) => EFFECT_WORDS[effect]).join(', ') || 'nothing';
}

/** Balanced accuracy, macro-F1, calibration error and learning rates, which the paper does not print. */
function measureTable(results: ExperimentResults): ResultTable {
  const { settings, variants, cells } = results;
  const notes = new Notes();
  const row = ({ setting, variant, macroF1, calibrationError, seeds, missing }: CellResult): Cell[] => {
    const { label, classes } = settings.find(({ name }) => name === setting)!;
    const absent = [...new Set(seeds.flatMap(({ confusionPairs }) => classesWithoutImages(confusionPairs)))].sort(
      (a, b) => a - b,
    );
    const mark =
      absent.length === 0
        ? ''
        : notes.mark(
            `${label}: no test images of ${absent.map((c) => classes[c] ?? c).join(', ')}. Macro-F1 is the mean over the classes that occur as ` +
              'truth or as prediction, balanced accuracy over those that have images, and neither they nor the calibration error say anything of ' +
              'images of such a class.',
          );
    const of = missing.length === 0 ? '' : ` (${seeds.length} of ${counted(seeds.length + missing.length, 'seed')})`;
    const balanced =
      seeds.length === 0 ? null : summarize(seeds.map(({ confusionPairs }) => balancedAccuracy(confusionPairs)));
    return [
      [variants.find(({ name }) => name === variant)?.label ?? variant],
      [label],
      balanced ? [percent(balanced.mean) + mark] : [],
      macroF1 ? [percent(macroF1.mean) + mark] : [],
      calibrationError ? [percent(calibrationError.mean) + mark] : [],
      [`${seeds.map(({ learningRate }) => learningRate ?? '–').join(', ')}${of}`],
    ];
  };
  return {
    name: 'metrics',
    title: 'Further metrics',
    caption:
      'Balanced accuracy (mean of the classes), macro-F1 and expected calibration error (15 bins) in per cent, means over the seeds, and the learning rate of each seed.',
    head: ['', 'setting', 'balanced accuracy', 'macro-F1', 'calibration error', 'learning rates'],
    rows: cells.map(row),
    foot: [],
    notes: notes.lines(),
  };
}

function confusionTable(results: ExperimentResults, cell: CellResult): ResultTable {
  const { settings, variants } = results;
  const { label, classes } = settings.find(({ name }) => name === cell.setting)!;
  const variant = variants.find(({ name }) => name === cell.variant)?.label;
  const planned = cell.seeds.length + cell.missing.length;
  const seeds = cell.missing.length === 0 ? counted(planned, 'seed') : `${cell.seeds.length} of ${planned} seeds`;
  return {
    name: `confusion-${cell.setting}`,
    title: `${label}: ${variant}`,
    ...(classes.length > MOST_IN_MATRIX
      ? mistakeRows(classes, cell, seeds, results)
      : matrixRows(classes, cell, seeds, results)),
    foot: [],
    notes: [],
  };
}

type Part = Pick<ResultTable, 'caption' | 'head' | 'rows'>;

function matrixRows(classes: readonly string[], cell: CellResult, seeds: string, results: ExperimentResults): Part {
  const counts = confusionMatrix(cell.confusionPairs);
  const shares = rowShares(counts);
  return {
    caption: `Images of each class (rows) by the class that was predicted, summed over ${seeds}, with the share of the row in per cent. ${factWords(results, cell.setting)}`,
    head: ['true \\ predicted', ...classes],
    rows: counts.map((row, i) => [
      [classes[i] ?? ''],
      ...row.map((count, j) => [`${count} (${percent(shares[i]![j]!)})`]),
    ]),
  };
}

/** Instead of a matrix that nobody could read. */
function mistakeRows(classes: readonly string[], cell: CellResult, seeds: string, results: ExperimentResults): Part {
  const { actual } = classCounts(cell.confusionPairs);
  return {
    caption: `The most frequent mistakes, summed over ${seeds}, with the share of the class in per cent. ${factWords(results, cell.setting)}`,
    head: ['true', 'predicted', 'images'],
    rows: mistakes(cell.confusionPairs)
      .slice(0, LISTED)
      .map(([c, d, images]) => [
        [classes[c] ?? ''],
        [classes[d] ?? ''],
        [`${images} (${percent(images / actual[c]!)})`],
      ]),
  };
}

/** `Split as given; 80 / 20 / 40 train / val / test images; the seeds change: order of images.` */
function factWords(results: ExperimentResults, setting: string): string {
  const { split, images, effects } = settingFacts(results, setting);
  return `Split ${split}; ${images} ${SPLITS.join(' / ')} images; the seeds change: ${effectWords(effects)}.`;
}

function caseTable(results: ExperimentResults): ResultTable {
  const { settings, cases } = results;
  const label = (name: string) => settings.find((setting) => setting.name === name)?.label ?? name;
  return {
    name: 'cases',
    title: null,
    caption: `For each data set, the most confident correct prediction and the most confident mistake of the first finished seed. ${settings
      .map(({ name }) => `${label(name)}: ${factWords(results, name)}`)
      .join(' ')}`,
    head: ['data set', 'image', 'prediction', 'ground truth', 'probability'],
    rows: cases.map((one) => [
      [label(one.setting)],
      [one.path],
      [one.predicted],
      [one.actual],
      [percent(one.probability)],
    ]),
    foot: [],
    notes: [],
  };
}

/** A share as a percentage, two digits after the point. */
export function percent(share: number, digits = 2): string {
  return (100 * share).toFixed(digits);
}

/** A difference of shares in percentage points, with its sign. */
export function signed(share: number, digits = 2): string {
  const text = percent(Math.abs(share), digits);
  if (Number(text) === 0) return text;
  return `${share > 0 ? '+' : '−'}${text}`;
}
