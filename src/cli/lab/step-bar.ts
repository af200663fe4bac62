/** What the laboratory is at, on the terminal, and the end of a kernel that never ends. */
import { say } from '../output.js';
import { type Progress, progress } from '../progress.js';

export class StepBar implements Disposable {
  #step = '';
  #done = 0;
  #bar: Progress | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #what: string;
  readonly #seconds: number;

  /** Without a word from the device about `what` for `seconds`, the program ends with code 1: nothing else stops a kernel that does not end. */
  constructor(what = '', seconds = Number.POSITIVE_INFINITY) {
    this.#what = what;
    this.#seconds = seconds;
    this.#wait();
  }

  at(step: string, done: number, all: number): void {
    this.#wait();
    if (step !== this.#step) {
      this.#bar?.stop();
      this.#bar = progress(all, step);
      this.#step = step;
      this.#done = 0;
    }
    this.#bar?.tick(done - this.#done);
    this.#done = done;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#bar?.stop();
    this.#bar = undefined;
    this.#step = '';
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #wait(): void {
    clearTimeout(this.#timer);
    if (this.#seconds === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => {
      this.stop();
      say(
        `ptdpc: ${this.#what}: no answer from the device for ${this.#seconds} seconds; a loop may not end (--time-limit waits longer)`,
      );
      process.exit(1);
    }, 1000 * this.#seconds);
  }
}
