/** The laboratory's tasks. What they need is loaded when the first of them is asked for. */
import type { LabTasks } from '../../protocol-lab.js';
import type { Work } from './task.js';

type LabWork = { readonly [K in keyof LabTasks]: Work<K> };

export const labTasks: LabWork = {
  'lab-kernels': async (input, context) => (await code()).kernels(input, context),
  'lab-shapes': async (input, context) => (await code()).shapes(input, context),
  'lab-starter': async (input, context) => (await code()).starter(input, context),
  'lab-steps': async (input, context) => (await import('../lab/steps.js')).steps(input, context),
  'lab-try': async (input, context) => (await code()).tryText(input, context),
  'lab-certify': async (input, context) => (await import('../lab/certify.js')).certifyDevice(input, context),
};

const code = () => import('../lab/work.js');
