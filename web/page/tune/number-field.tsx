/** A number with its label. An empty field is undefined: as the preset has it. */
import { useId, useState } from 'preact/hooks';

export interface NumberFieldProps {
  readonly label: string;
  /** At first; then the field has its own text. */
  readonly value: number | undefined;
  readonly min?: number;
  readonly max?: number;
  readonly step?: number | 'any';
  /** What an empty field stands for. */
  readonly placeholder?: string;
  readonly onChange: (value: number | undefined) => void;
}

export function NumberField({ label, value, min, max, step = 1, placeholder, onChange }: NumberFieldProps) {
  const id = useId();
  // The text is the field's own: whoever is typing is not interrupted by what the number becomes meanwhile.
  const [text, setText] = useState(value === undefined ? '' : String(value));
  return (
    <p class="number">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="number"
        inputMode="decimal"
        {...{ min, max, step, placeholder }}
        value={text}
        onInput={({ currentTarget }) => {
          setText(currentTarget.value);
          const { valueAsNumber, validity } = currentTarget;
          onChange(validity.valid && Number.isFinite(valueAsNumber) ? valueAsNumber : undefined);
        }}
      />
    </p>
  );
}
