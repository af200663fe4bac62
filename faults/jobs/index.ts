export type { Device, Job, Phase, Prepare } from './job.js';
export { PHASES } from './job.js';

import { convertJob } from './convert.js';
import { embedJob } from './embed.js';
import { fetchJob } from './fetch.js';
import type { Prepare } from './job.js';
import { trainJob } from './train.js';

export const JOBS = {
  convert: convertJob,
  fetch: fetchJob,
  embed: embedJob,
  train: trainJob,
} as const satisfies Readonly<Record<string, Prepare>>;

export type CommandName = keyof typeof JOBS;
