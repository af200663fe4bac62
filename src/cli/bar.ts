/** One line at the bottom of a terminal that is drawn again and again in its place. */

/** Ten times a second is enough for the eye, and costs nothing beside work that ticks thousands of times. */
const PAUSE_MILLISECONDS = 100;

const CLEAR_REST = '\u001b[K';

/** What a bar is drawn on: a terminal. */
export interface Terminal {
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

export class Bar {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #drawn = Number.NEGATIVE_INFINITY;
  #stopped = false;

  /** `line` gives the text at the moment of drawing. Nothing of the terminal is changed that an end by a signal would have to restore. */
  constructor(
    private readonly terminal: Terminal,
    private readonly line: () => string,
  ) {
    this.#draw();
  }

  /** Has the line drawn: now, or after a pause if it was just drawn. */
  update(): void {
    if (this.#stopped) return;
    const wait = this.#drawn + PAUSE_MILLISECONDS - performance.now();
    if (wait <= 0) this.#draw();
    // A bar keeps no program alive.
    else this.#timer ??= setTimeout(() => this.#draw(), wait).unref();
  }

  /** Takes the line away. May be called twice. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.terminal.write(`\r${CLEAR_REST}`);
  }

  #draw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#drawn = performance.now();
    // A longer line would wrap, and its first row would stay.
    const room = (this.terminal.columns ?? 80) - 1;
    this.terminal.write(`\r${Array.from(this.line()).slice(0, room).join('')}${CLEAR_REST}`);
  }
}
