/** What can be timed. */

/** Work that is set up, done any number of times, and taken down. */
export interface Workload extends Disposable {
  /** Does it once. The work is finished when this resolves, on the device too. */
  run(): Promise<void>;
}
