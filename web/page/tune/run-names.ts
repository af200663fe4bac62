/** Names of runs by what differs among them, so that a legend says no more than it must. */
import {
  type OptionField,
  optionText,
  PRESETS,
  TUNING_FIELDS,
  type TuningOptions,
} from '../../../src/ptdpc/options.js';

/** What a run is named by. */
export interface Named {
  readonly options: TuningOptions;
  /** Of the pictures. */
  readonly pictures: string;
}

type Field = keyof TuningOptions & keyof typeof TUNING_FIELDS;
const FIELDS = Object.keys(TUNING_FIELDS) as Field[];

/**
 * A name for each run, in order: `lr 0.01, no noise`. Preset and mode if nothing differs; options that differ only because the presets
 * do are left to the name of the preset. Runs that do not differ are numbered.
 */
export function runNames(runs: readonly Named[]): string[] {
  const differing = FIELDS.filter((field) => new Set(runs.map(({ options }) => own(options, field))).size > 1);
  const fields = differing.length > 0 ? differing : (['preset', 'mode'] as const);
  const otherPictures = new Set(runs.map(({ pictures }) => pictures)).size > 1;
  const names = runs.map(({ options, pictures }) =>
    [...fields.map((field) => valueText(field, options[field])), ...(otherPictures ? [pictures] : [])].join(', '),
  );
  const seen = new Map<string, number>();
  return names.map((name) => {
    if (names.filter((other) => other === name).length === 1) return name;
    const number = (seen.get(name) ?? 0) + 1;
    seen.set(name, number);
    return `${name} (${number})`;
  });
}

/** An option as far as it is a choice of its own. */
function own(options: TuningOptions, field: Field): unknown {
  if (field === 'preset') return options.preset;
  return options[field] === PRESETS[options.preset][field] ? 'preset' : options[field];
}

function valueText(field: Field, value: TuningOptions[Field]): string {
  if (field === 'preset' || field === 'mode') return String(value);
  const noun = field === 'initNoise' ? 'noise' : flagName(TUNING_FIELDS[field]);
  if (field === 'initNoise' && value === 0) return 'no noise';
  if (typeof value === 'boolean') return value ? noun : `no ${noun}`;
  return field === 'epochs' ? `${value} epochs` : `${noun} ${value}`;
}

/** `batch size` of `--batch-size <n>`. */
const flagName = (field: OptionField) =>
  optionText(field).flag.replace(/^--/, '').replace(/ .*/, '').replaceAll('-', ' ');
