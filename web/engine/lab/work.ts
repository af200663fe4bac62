/** The code of the laboratory's tasks. */
import { ARCHITECTURES } from '../../../src/clip/config.js';
import { sizeNames } from '../../../src/kernels/cases.js';
import { allKernels, caseOf, kernelNamed, type WebGpuBackend } from '../../../src/kernels/index.js';
import {
  checkTask,
  failureLines,
  JOBS,
  type Job,
  parseSizes,
  readUserKernel,
  recordJob,
  requireSizes,
  shareOfCeiling,
  starterText,
  startOf,
  taskNamed,
  tracks,
  tryKernel,
  variantNames,
} from '../../../src/lab/index.js';
import type { LabKernelReport, LabTimings } from '../../protocol-lab.js';
import type { Work } from '../tasks/task.js';
import { LabDevice } from './lab-device.js';

const device = new LabDevice();

export const kernels: Work<'lab-kernels'> = async () => ({
  adapter: await device.adapter(),
  kernels: allKernels().map((kernel): LabKernelReport => {
    const { name, formula, cases } = kernel;
    return {
      kernel: name,
      equation: formula,
      ...sizeNames(kernel),
      variants: variantNames(kernel),
      cases: cases.suite.length,
    };
  }),
});

export const shapes: Work<'lab-shapes'> = async () => {
  const config = ARCHITECTURES.get('ViT-B/32')!;
  const recorded = [];
  for (const job of Object.keys(JOBS) as Job[]) {
    for (const shape of await recordJob(job, config)) recorded.push({ ...shape, job });
  }
  return { jobs: JOBS, shapes: recorded };
};

export const starter: Work<'lab-starter'> = async ({ kernel, variant }) => ({
  text: starterText(kernelNamed(kernel), variant),
});

/** In messages and among the variants, the user's text is called so. */
const OWN = 'yours';

export const tryText: Work<'lab-try'> = async ({ kernel: kernelName, text, shape }, { signal, progress }) => {
  const kernel = kernelNamed(kernelName);
  const sizes = parseSizes(shape);
  requireSizes(kernel, sizes);
  const user = readUserKernel(kernel, OWN, text);
  progress({ done: 0, total: 1, what: 'compiling' });
  return await device.use(async (backend) => {
    const trial = await tryKernel(backend, user, sizes, (step, done, total) => {
      signal.throwIfAborted();
      progress({ done, total, what: WORDS[step] });
    });
    const { compilation, parity, judged, timings, notTimed } = trial;
    let timed: LabTimings | undefined;
    if (timings) {
      progress({ done: 0, total: 1, what: "measuring the device's ceilings" });
      const ceilings = await device.ceilings();
      signal.throwIfAborted();
      const times = timings.times.map((time) => ({ ...time, share: shareOfCeiling(time, ceilings) }));
      timed = { ...timings, times, ceilings };
    }
    return {
      ...{ device: backend.description, compilation, parity, judged, timings: timed },
      name: caseOf(kernel, sizes).name,
      ...(notTimed !== undefined && { notTimed }),
    };
  });
};

export const course: Work<'lab-course'> = async () => ({
  hasAdapter: (await device.adapter()) !== undefined,
  tracks: tracks.map(({ id, title, about, tasks }) => ({
    ...{ id, title, about },
    tasks: tasks.map(({ id, title, minutes, statement, hints, tolerance, why }) => ({
      ...{ id, title, minutes, statement, hints, tolerance, start: startOf(id) },
      ...(why !== undefined && { why }),
    })),
  })),
});

export const checkAnswer: Work<'lab-check'> = async ({ task: name, text }, { signal, progress }) => {
  const task = taskNamed(name);
  const check = (backend?: WebGpuBackend) =>
    checkTask(backend, task, OWN, text, (done, total) => {
      signal.throwIfAborted();
      progress({ done, total, what: 'cases' });
    });
  const result = (await device.adapter()) ? await device.use(check) : await check();
  return { ...result, lines: result.failure ? failureLines(result.failure, result.tolerance) : [] };
};

const WORDS = {
  parity: 'comparing with the twin in float64',
  'first calls': 'first calls of every variant',
  reference: 'judging the sizes to time',
  timing: 'timing in turns',
  pairs: 'timing yours and the fastest in pairs',
} as const;
