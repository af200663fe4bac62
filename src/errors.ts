/**
 * The one error class for bad input. Its message is a single line that names the file, tensor or option,
 * what was expected and what was found; the command line prints it as it is and exits with a non-zero code.
 * Any other error is a defect of this program.
 */
export class InputError extends Error {
  override readonly name = 'InputError';

  /** `message` may quote names from files as they are: what would break the line is escaped here. */
  constructor(message: string) {
    super(printable(message));
  }
}

/** By shape and not by class: an error of another realm (Node's own, in a program that Jest runs) is no instance of this one's Error. */
export function isError(value: unknown): value is Error {
  return typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string';
}

/** What something that was thrown says. */
export function messageOf(error: unknown): string {
  return isError(error) ? error.message : String(error);
}

/** Line breaks of every kind, and the characters with which a name could steer a terminal: control and bidirectional ones. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

/** `text` on one line, with escapes such as \u000a for characters that are not to be printed. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** `3 images`, `1 image`, `1,000 images`. */
export function counted(count: number, noun: string): string {
  // Intl takes 15 ms to load, which small numbers do not need.
  const digits = count < 1000 ? String(count) : count.toLocaleString('en');
  return `${digits} ${noun}${count === 1 ? '' : 's'}`;
}
