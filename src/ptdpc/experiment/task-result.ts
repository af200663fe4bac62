/** The result of one task, put together from the run that it made. */
import type { Split } from '../datasets/index.js';
import type { CaseResult, SeedResult, SkippedFile } from './results.js';

export interface TaskResult {
  task: string;
  setting: string;
  /** Class words. */
  classes: string[];
  result: SeedResult;
  /** The most confident right prediction and the most confident wrong one; null if there is none. */
  cases: { right: CaseResult | null; wrong: CaseResult | null };
  /** The images that could not be read and were left out. */
  skipped: (SkippedFile & { split: Split })[];
  /** The images that were read though their files are cut short; paths as in `skipped`. */
  truncated: { split: Split; path: string }[];
}
