/** What long work tells whoever started it. The command line prints it; a script may listen, or not. */

export interface Events {
  /** A line for people. */
  say(line: string): void;
  /** Long work begins: `total` of `unit`. The returned bar hears what is done, and is disposed at the end. */
  progress(total: number, label: string, unit: string): ProgressBar;
}

/** Hears how far long work is. */
export interface ProgressBar extends Disposable {
  /** `n` more are done; `note` says something about where that is. */
  tick(n: number, note?: string): void;
}

/** Nobody listens. */
export const SILENT: Events = {
  say: () => {},
  progress: () => ({ tick: () => {}, [Symbol.dispose]: () => {} }),
};
