/** How to tune: every chosen preset in every chosen mode. */
import { MODES, type Mode, type Preset, type TuningOptions, tuningOptions } from '../../../src/ptdpc/options.js';
import { NumberField } from './number-field.js';

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

/** As `ptdpc demo` has it: small batches suit so few scenes. */
export const FIRST_SETTINGS: Settings = {
  ...{ presets: ['official'], modes: ['both'], epochs: undefined, learningRate: undefined },
  ...{ batchSize: 16, initNoise: 0, seed: 0 },
};

const PRESET_TEXTS: Readonly<Record<Preset, string>> = {
  paper: 'paper: SGD, 10 epochs',
  official: 'official: AdamW, 25 epochs',
};

const MODE_TEXTS: Readonly<Record<Mode, string>> = {
  both: 'both: a prompt per class, weighted by the picture',
  cs: 'cs: class-specific only',
  is: 'is: instance-specific only',
  none: 'none: one shared prompt',
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
        texts={PRESET_TEXTS}
        chosen={settings.presets}
        onChange={(presets) => set({ presets: presets as Preset[] })}
      />
      <Boxes
        legend="Mode"
        texts={MODE_TEXTS}
        chosen={settings.modes}
        onChange={(modes) => set({ modes: MODES.filter((mode) => modes.includes(mode)) })}
      />
      <details>
        <summary>More settings</summary>
        <div class="numbers-row">
          <NumberField
            label="Epochs"
            value={settings.epochs}
            min={1}
            placeholder="preset's"
            onChange={(epochs) => set({ epochs })}
          />
          <NumberField
            label="Learning rate"
            value={settings.learningRate}
            min={0}
            step="any"
            placeholder="preset's"
            onChange={(learningRate) => set({ learningRate })}
          />
          <NumberField
            label="Batch size"
            value={settings.batchSize}
            min={1}
            onChange={(batchSize = 16) => set({ batchSize })}
          />
          <NumberField
            label="Initial noise"
            value={settings.initNoise}
            min={0}
            step="any"
            onChange={(initNoise = 0) => set({ initNoise })}
          />
          <NumberField label="Seed" value={settings.seed} min={0} onChange={(seed = 0) => set({ seed })} />
        </div>
        <p class="note">
          Noise on the start lets the prompts of classes differ in mode both, where they stay equal without it. Its
          measure is each token's root mean square.
        </p>
      </details>
    </>
  );
}

interface BoxesProps {
  readonly legend: string;
  /** By value, in order. */
  readonly texts: Readonly<Record<string, string>>;
  readonly chosen: readonly string[];
  readonly onChange: (chosen: string[]) => void;
}

function Boxes({ legend, texts, chosen, onChange }: BoxesProps) {
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
            {texts[name]}
          </label>
        ))}
      </p>
    </fieldset>
  );
}
