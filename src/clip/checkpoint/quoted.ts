/** How error messages show a value that came out of a file: on one line, and never a screenful. */

const LONGEST = 120;

/** `value` as JSON (so control characters are escaped), cut short where it is long. */
export function quoted(value: unknown): string {
  let json: string;
  try {
    json =
      (typeof value === 'string' ? JSON.stringify(value.slice(0, LONGEST + 1)) : JSON.stringify(value)) ??
      String(value);
  } catch {
    json = String(value);
  }
  return json.length > LONGEST ? `${json.slice(0, LONGEST)}...` : json;
}
