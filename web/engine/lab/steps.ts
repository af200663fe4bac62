/** The code of the task that records a kernel step by step. */
import { InputError } from '../../../src/errors.js';
import { STEPPED, steppedNamed, traceSteps } from '../../../src/lab/index.js';
import type { Work } from '../tasks/task.js';

export const steps: Work<'lab-steps'> = async ({ name = STEPPED[0]!.name, group }) => {
  const of = steppedNamed(name);
  const names = STEPPED.map((one) => one.name);
  if (!of) throw new InputError(`expected a kernel to step through (${names.join('; ')}), found ${name}`);
  return { names, trace: await traceSteps(of, group) };
};
