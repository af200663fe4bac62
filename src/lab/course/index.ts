/**
 * The course: tasks in tracks, each with a starting file, hints in stages, and a check that only a right answer passes. `task` declares them, `check`
 * judges an answer on an adapter or in lockstep on the host, `races` watches invocations, `wrong-map` lays out what is wrong.
 */
import { InputError } from '../../errors.js';
import { similar } from '../../suggest.js';
import { attention } from './attention.js';
import { firstSteps } from './first-steps.js';
import { gradients } from './gradients.js';
import { layerGradients } from './layer-gradients.js';
import { matrixProduct } from './matrix-product.js';
import { normalisation } from './normalisation.js';
import { ptDpc } from './pt-dpc.js';
import { reductions } from './reductions.js';
import type { Task, Track } from './task.js';

export { type CaseFailure, checkTask, failureLines, type OnCase, type ShownInput, type TaskResult } from './check.js';
export { startOf, type Task, type Track } from './task.js';
export { mapText, type WrongMap } from './wrong-map.js';

/** From the easiest on. */
export const tracks: readonly Track[] = [
  firstSteps,
  reductions,
  normalisation,
  matrixProduct,
  attention,
  gradients,
  layerGradients,
  ptDpc,
];

/** All tasks, in the order of the tracks. */
export const tasks: readonly Task[] = tracks.flatMap((track) => track.tasks);

/** A task by its name, or by its number if it has one. Throws InputError if there is none. */
export function taskNamed(name: string): Task {
  const found = tasks.find(({ id, number }) => id === name || `${number}` === name);
  if (found) return found;
  const near = similar(
    name,
    tasks.map(({ id }) => id),
  );
  throw new InputError(
    `exercise ${name}: there is none of that name${near === undefined ? '; `ptdpc lab exercise` lists them' : `; did you mean ${near}?`}`,
  );
}
