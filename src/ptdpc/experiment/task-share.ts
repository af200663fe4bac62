/** Which of a plan's tasks a process does: all of them, or the share given by its index among several. */
import { InputError } from '../../errors.js';

export interface TaskShare {
  /** From 0 to count - 1. */
  index: number;
  count: number;
}

export interface ShareOptions {
  /** `i/n`, the i-th of n, counted from 1. */
  task?: string | undefined;
  /** `completions` of a Kubernetes Indexed Job, which its pods cannot read. */
  completions?: number | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The share that `--task` gives, else a Slurm job array, else a Kubernetes Indexed Job. Undefined, which means all tasks, if there
 * is none of them, and in a job array with gaps, such as one submitted again for a few indices (`--array=3,7`): processes that do all
 * tasks divide them by their claims. Throws InputError if the numbers are inconsistent.
 */
export function taskShare({ task, completions }: ShareOptions, environment: Environment): TaskShare | undefined {
  if (task !== undefined) return parseTask(task);
  if (environment.SLURM_ARRAY_TASK_ID !== undefined) return slurmShare(environment);
  if (environment.JOB_COMPLETION_INDEX === undefined) return undefined;
  if (completions === undefined) {
    throw new InputError(
      "JOB_COMPLETION_INDEX is set, but not of how many: give the job's completions, --completions <n>",
    );
  }
  return checked('JOB_COMPLETION_INDEX', wholeNumber(environment, 'JOB_COMPLETION_INDEX'), completions);
}

/** The tasks of a share: every count-th, so that long and short ones mix. */
export function shareOf<T>(tasks: readonly T[], share: TaskShare | undefined): T[] {
  return share ? tasks.filter((_, i) => i % share.count === share.index) : [...tasks];
}

function parseTask(text: string): TaskShare {
  const [, i, n] = /^(\d+)\/(\d+)$/.exec(text.trim()) ?? [];
  const [place, count] = [Number(i), Number(n)];
  if (!(place >= 1 && place <= count)) {
    throw new InputError(`--task: expected i/n with i from 1 to n, such as 1/4, found ${JSON.stringify(text)}`);
  }
  return { index: place - 1, count };
}

/** Slurm numbers a job array's tasks from any start, in any steps. */
function slurmShare(environment: Environment): TaskShare | undefined {
  const id = wholeNumber(environment, 'SLURM_ARRAY_TASK_ID');
  const least = wholeNumber(environment, 'SLURM_ARRAY_TASK_MIN');
  const most = wholeNumber(environment, 'SLURM_ARRAY_TASK_MAX');
  const count = wholeNumber(environment, 'SLURM_ARRAY_TASK_COUNT');
  if (!(least <= id && id <= most) || count < 1)
    throw new InputError(
      `SLURM_ARRAY_TASK_ID: expected a number from SLURM_ARRAY_TASK_MIN (${least}) to SLURM_ARRAY_TASK_MAX (${most}), of ` +
        `SLURM_ARRAY_TASK_COUNT (${count}) tasks, found ${id}; give the share with --task i/n`,
    );
  const step = count > 1 ? (most - least) / (count - 1) : 1;
  const index = (id - least) / step;
  return Number.isInteger(step) && Number.isInteger(index) && index < count ? { index, count } : undefined;
}

function checked(name: string, index: number, count: number): TaskShare {
  if (index >= count) throw new InputError(`${name}: expected a number below ${count}, found ${index}`);
  return { index, count };
}

function wholeNumber(environment: Environment, name: string): number {
  const text = environment[name];
  if (text === undefined || !/^\d+$/.test(text)) {
    throw new InputError(
      `${name}: expected a whole number, found ${text === undefined ? 'nothing' : JSON.stringify(text)}`,
    );
  }
  return Number(text);
}
