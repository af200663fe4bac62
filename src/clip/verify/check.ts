/** One question to a model, and its answer. */
export interface Check {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'not run';
  /** What was seen, or why nothing could be. */
  readonly detail: string;
}

export const passed = (name: string, detail: string): Check => ({ name, outcome: 'passed', detail });
export const failed = (name: string, detail: string): Check => ({ name, outcome: 'failed', detail });
export const notRun = (name: string, detail: string): Check => ({ name, outcome: 'not run', detail });
