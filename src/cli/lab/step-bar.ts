/** A progress bar for each step of a trial in turn. */
import { type Progress, progress } from '../progress.js';

export class StepBar implements Disposable {
  #step = '';
  #done = 0;
  #bar: Progress | undefined;

  at(step: string, done: number, all: number): void {
    if (step !== this.#step) {
      this.stop();
      this.#bar = progress(all, step);
      this.#step = step;
      this.#done = 0;
    }
    this.#bar?.tick(done - this.#done);
    this.#done = done;
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
    this.#step = '';
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}
