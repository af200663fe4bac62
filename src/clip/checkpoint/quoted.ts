/** Formats values from files for error messages, with bounded length. */

const LONGEST = 120;

/** `value` as JSON, cut short if it is long. */
export function quoted(value: unknown): string {
  return shortened(jsonOf(typeof value === 'string' ? value.slice(0, LONGEST + 1) : value));
}

/** The beginning of a long text. */
export function shortened(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
}

function jsonOf(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // Nested deeper than the stack, or in itself.
    return 'a value that cannot be shown';
  }
}
