/**
 * The tasks of a worker, one after the other because a device is one queue. A long one may let others in at points where it needs
 * nothing of the device.
 */
export interface Job {
  /** False for what changes the ground under a running task: those wait for its end. */
  readonly mayInterrupt: boolean;
  /** Never rejects. */
  run(): Promise<void>;
}

export class TaskQueue {
  readonly #waiting: Job[] = [];
  #running = false;
  readonly #arrivals = new Set<() => void>();

  add(job: Job): void {
    this.#waiting.push(job);
    for (const arrived of this.#arrivals) arrived();
    if (!this.#running) void this.#run();
  }

  /** True if a job waits that may come in between. */
  get hasGuests(): boolean {
    return this.#waiting.some(({ mayInterrupt }) => mayInterrupt);
  }

  /** True if a job waits for the end of the one that runs. */
  get isAwaited(): boolean {
    return this.#waiting.some(({ mayInterrupt }) => !mayInterrupt);
  }

  /** Runs every job that may come in between. For the job that runs. */
  async letIn(): Promise<void> {
    for (;;) {
      const place = this.#waiting.findIndex(({ mayInterrupt }) => mayInterrupt);
      if (place < 0) return;
      await this.#waiting.splice(place, 1)[0]!.run();
    }
  }

  /** Until another job is added or the signal is aborted. */
  arrival(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const arrived = () => {
        this.#arrivals.delete(arrived);
        signal.removeEventListener('abort', arrived);
        resolve();
      };
      if (signal.aborted) return resolve();
      this.#arrivals.add(arrived);
      signal.addEventListener('abort', arrived);
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let job = this.#waiting.shift(); job; job = this.#waiting.shift()) await job.run();
    this.#running = false;
  }
}
