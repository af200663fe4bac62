/** How far a tuning may go before it pauses. */
import type { Steer } from '../protocol.js';

export class Steering {
  /** The step before which it pauses. */
  #until = 0;
  #step = 0;

  constructor(
    private readonly stepsPerEpoch: number,
    how: Steer,
    /** The step that comes first. */
    first: number,
  ) {
    this.#step = first;
    this.turn(how);
  }

  /** From now on. */
  turn(how: Steer): void {
    const { stepsPerEpoch } = this;
    const step = this.#step;
    const epochEnd = (Math.floor(step / stepsPerEpoch) + 1) * stepsPerEpoch;
    this.#until = { play: Number.POSITIVE_INFINITY, pause: step, batch: step + 1, epoch: epochEnd }[how];
  }

  /** Whether this step may be taken now: every step is asked for, in order. */
  allows(step: number): boolean {
    this.#step = step;
    return step < this.#until;
  }
}
