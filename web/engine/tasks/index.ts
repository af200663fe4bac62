/** The code of every task, by its name. */
import type { TaskName } from '../../protocol.js';
import { evaluate } from './evaluate.js';
import { explain } from './explain.js';
import { labTasks } from './lab.js';
import { modelTasks } from './model.js';
import { open } from './open.js';
import { predict } from './predict.js';
import { prepare } from './prepare.js';
import { exportPrompts, importPrompts } from './prompts-files.js';
import { scenes } from './scenes.js';
import type { Work } from './task.js';
import { steer, tune } from './tune.js';
import { words } from './words.js';

export const tasks: { readonly [K in TaskName]: Work<K> } = {
  ...labTasks,
  ...modelTasks,
  open,
  scenes,
  predict,
  explain,
  words,
  importPrompts,
  exportPrompts,
  prepare,
  tune,
  steer,
  evaluate,
};
