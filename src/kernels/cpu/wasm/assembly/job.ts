/** How the tasks of a job are handed out. */
import { Job } from './layout.generated';

/** Takes the next task of a job. */
// @ts-ignore: decorator
@inline
export function takeTask(job: Job): i32 {
  return atomic.add<i32>(changetype<usize>(job) + offsetof<Job>('tasksTaken'), 1);
}
