/** All that is said about an experiment's results, in whatever form they are read: warnings, how they were made, and the tables. */
import { counted } from '../../errors.js';
import { type ExperimentResults, presetWords } from './results.js';
import { cellsOf, skippedWords } from './setting-facts.js';
import { type ResultTable, resultTables } from './tables.js';

export interface ResultDocument {
  title: string;
  /** What no reader may overlook, each `<what>: <sentences>`. */
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

/** docs/method.md shows why. */
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

/** Which images were left out, which read though their files are cut short, and which are both trained and tested on; empty if there are none. */
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
