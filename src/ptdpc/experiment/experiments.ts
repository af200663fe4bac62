/** Each experiment's rows and columns, and the paper's values for them. */
import type { PreprocessChoice, Preset } from '../options.js';
import { FIGURE_5, PAPER_SETTINGS, paperFigure, type Row, TABLE_1, TABLE_2, TABLE_3, TABLE_4 } from './paper-tables.js';
import type { ExperimentName } from './results.js';
import {
  clipProbeVariants,
  encoderVariant,
  modeVariants,
  ourVariant,
  type PlanEncoder,
  paperEncoder,
  templateVariants,
  type Variant,
  zeroShotVariant,
} from './variants.js';

export interface ExperimentRow {
  variant: Variant;
  /** The row of the paper's table; undefined if it has none. */
  paper: Row | undefined;
}

export interface Experiment {
  name: ExperimentName;
  title: string;
  /** Settings of the paper's columns. */
  settings: readonly string[];
  rows: readonly ExperimentRow[];
  /** Rows of the paper that are not computed. */
  quoted: readonly { label: string; row: Row }[];
  /** The paper's last row of Table 3. */
  spread?: Row;
}

/** The encoders that Table 4 compares with the model's, and how their images are prepared. */
export interface ComparedEncoders {
  readonly encoders: readonly PlanEncoder[];
  readonly preprocess: PreprocessChoice;
}

/** The paper's rows of encoders that are not `compared` are quoted. */
export function experiment(
  name: ExperimentName,
  preset: Preset,
  compared: ComparedEncoders = { encoders: [], preprocess: 'own' },
): Experiment {
  const ours = { variant: ourVariant(preset), paper: TABLE_1.ours };
  const all = PAPER_SETTINGS;
  switch (name) {
    case 'table1':
      return {
        name,
        title: 'Table 1: accuracy of PT-DPC beside earlier methods',
        settings: all,
        rows: [{ variant: zeroShotVariant(preset), paper: undefined }, ours],
        quoted: TABLE_1.others,
      };
    case 'table2': {
      const rows = modeVariants(preset).map((variant) => {
        const { work } = variant;
        return { variant, paper: work.kind === 'prompts' ? TABLE_2[work.mode] : undefined };
      });
      return { name, title: 'Table 2: what a prompt is composed from', settings: all, rows, quoted: [] };
    }
    case 'table3': {
      const rows = templateVariants(preset).map((variant, i) => ({ variant, paper: TABLE_3.rows[i] }));
      const title = 'Table 3: templates that the prompts start from';
      return { name, title, settings: all, rows, quoted: [], spread: TABLE_3.std };
    }
    case 'table4': {
      const { encoders, preprocess } = compared;
      const { clipVit, clip } = clipProbeVariants();
      const rows = [
        ...encoders.map((encoder) => ({
          variant: encoderVariant(encoder, preprocess),
          // A stand-in's figure says nothing about the paper's.
          paper: encoder.random ? undefined : paperEncoder(encoder.architecture)?.row,
        })),
        { variant: clipVit, paper: TABLE_4.clipVit },
        { variant: clip, paper: TABLE_4.clip },
        ours,
      ];
      const computed = new Set(encoders.filter(({ random }) => !random).map(({ architecture }) => architecture));
      const quoted = Object.entries(TABLE_4.encoders).flatMap(([architecture, row]) =>
        computed.has(architecture) ? [] : [row],
      );
      return { name, title: 'Table 4: frozen encoders under a linear layer', settings: all, rows, quoted };
    }
    case 'figure4': {
      const title = 'Figure 4: confusion matrices of PT-DPC';
      return { name, title, settings: ['fi8', 'emotionroi6'], rows: [ours], quoted: [] };
    }
    case 'figure5': {
      const settings = FIGURE_5.map(({ setting }) => setting);
      return { name, title: 'Figure 5: cases of the data sets', settings, rows: [ours], quoted: [] };
    }
  }
}

/** The values of quoted rows for some settings. */
export function quotedRows({ quoted }: Experiment, settings: readonly string[]) {
  return quoted.map(({ label, row }) => ({
    label,
    accuracies: settings.map((setting) => paperFigure(row, setting) ?? null),
  }));
}
