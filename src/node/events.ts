/** How long-running functions report to their caller. The command line prints the reports; a script may ignore them. */

export interface Events {
  /** Reports one line of text. */
  say(line: string): void;
  /** Starts a progress bar from 0 to `total` of `unit`. The caller disposes it at the end. */
  progress(total: number, label: string, unit: string): ProgressBar;
}

/** The progress of one piece of work. */
export interface ProgressBar extends Disposable {
  /** Advances by `n`; `note` is a short remark, such as the current file. */
  tick(n: number, note?: string): void;
  /** Advances by `n` that took no work, such as cached images, and should not count in a rate. Default: `tick`. */
  skip?(n: number): void;
}

/** Ignores all reports. */
export const SILENT: Events = {
  say: () => {},
  progress: () => ({ tick: () => {}, [Symbol.dispose]: () => {} }),
};
