/** A number with its label. An empty field is undefined: as the preset has it. */
import { useId } from 'preact/hooks';

export interface NumberFieldProps {
  readonly label: string;
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
  return (
    <p class="number">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="number"
        inputMode="decimal"
        {...{ value, min, max, step, placeholder }}
        onChange={({ currentTarget }) => {
          const { valueAsNumber, validity } = currentTarget;
          onChange(validity.valid && Number.isFinite(valueAsNumber) ? valueAsNumber : undefined);
        }}
      />
    </p>
  );
}
