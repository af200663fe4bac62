/** How to tune: every chosen preset in every chosen mode. */
import {
  MODES,
  type Mode,
  type OptionField,
  optionText,
  type Preset,
  TUNING_FIELDS,
  type TuningOptions,
  tuningOptions,
} from '../../../src/ptdpc/options.js';
import { NumberField, type NumberFieldProps } from './number-field.js';

export interface Settings {
  readonly presets: readonly Preset[];
  readonly modes: readonly Mode[];
  /** Undefined: the preset's. */
  readonly epochs: number | undefined;
  readonly learningRate: number | undefined;
  readonly batchSize: number;
  readonly initNoise: number;
  readonly seed: number;
}

/** Small batches suit so few scenes, as in `ptdpc demo`; with some noise, so that the classes' prompts can differ (docs/method.md). */
export const FIRST_SETTINGS: Settings = {
  ...{ presets: ['official'], modes: ['both'], epochs: undefined, learningRate: undefined },
  ...{ batchSize: 16, initNoise: 0.3, seed: 0 },
};

/** The options of every run that is asked for. Throws InputError if one is out of range. */
export function optionsOf(settings: Settings): TuningOptions[] {
  const { presets, modes, epochs, learningRate, batchSize, initNoise, seed } = settings;
  return presets.flatMap((preset) =>
    modes.map((mode) =>
      tuningOptions(preset, {
        ...{ mode, batchSize, initNoise, seed },
        ...(epochs !== undefined && { epochs }),
        ...(learningRate !== undefined && { learningRate }),
      }),
    ),
  );
}

export interface SettingsFormProps {
  readonly settings: Settings;
  readonly onChange: (settings: Settings) => void;
}

export function SettingsForm({ settings, onChange }: SettingsFormProps) {
  const set = (changed: Partial<Settings>) => onChange({ ...settings, ...changed });
  return (
    <>
      <Boxes
        legend="Preset"
        field={TUNING_FIELDS.preset}
        chosen={settings.presets}
        onChange={(presets) => set({ presets: presets as Preset[] })}
      />
      <Boxes
        legend="Mode"
        field={TUNING_FIELDS.mode}
        chosen={settings.modes}
        onChange={(modes) => set({ modes: MODES.filter((mode) => modes.includes(mode)) })}
      />
      <details>
        <summary>More settings</summary>
        <div class="numbers-row">
          <NumberField
            {...numberOf(TUNING_FIELDS.epochs)}
            value={settings.epochs}
            placeholder="preset's"
            onChange={(epochs) => set({ epochs })}
          />
          <NumberField
            {...numberOf(TUNING_FIELDS.learningRate)}
            value={settings.learningRate}
            placeholder="preset's"
            onChange={(learningRate) => set({ learningRate })}
          />
          <NumberField
            {...numberOf(TUNING_FIELDS.batchSize)}
            value={settings.batchSize}
            onChange={(batchSize = 16) => set({ batchSize })}
          />
          <NumberField
            {...numberOf(TUNING_FIELDS.initNoise)}
            value={settings.initNoise}
            onChange={(initNoise = FIRST_SETTINGS.initNoise) => set({ initNoise })}
          />
          <NumberField {...numberOf(TUNING_FIELDS.seed)} value={settings.seed} onChange={(seed = 0) => set({ seed })} />
        </div>
        <p class="note">
          Initial noise, as a share of each token's root mean square, lets the prompts of the classes differ in mode
          both, which is the paper's own idea; at 0, as in the presets of the command line, they stay equal.
        </p>
      </details>
    </>
  );
}

/** What a number field says of an option. */
function numberOf(field: OptionField): Pick<NumberFieldProps, 'label' | 'min' | 'max' | 'step'> {
  const { flag, label = flag, range } = optionText(field);
  return { label, min: range?.least ?? 0, step: range?.whole ? 1 : 'any', ...(range?.most && { max: range.most }) };
}

interface BoxesProps {
  readonly legend: string;
  readonly field: OptionField;
  readonly chosen: readonly string[];
  readonly onChange: (chosen: string[]) => void;
}

function Boxes({ legend, field, chosen, onChange }: BoxesProps) {
  const texts = optionText(field).choices ?? {};
  const names = Object.keys(texts);
  return (
    <fieldset>
      <legend>{legend}</legend>
      <p class="options stacked">
        {names.map((name) => (
          <label key={name}>
            <input
              type="checkbox"
              checked={chosen.includes(name)}
              onChange={({ currentTarget: { checked } }) =>
                onChange(names.filter((one) => (one === name ? checked : chosen.includes(one))))
              }
            />{' '}
            {`${name}: ${texts[name]}`}
          </label>
        ))}
      </p>
    </fieldset>
  );
}
