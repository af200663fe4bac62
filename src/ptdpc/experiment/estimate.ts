/** Estimates how long a plan takes: its work, times the cost of one image on a device. */
import type { Mode } from '../options.js';
import { type Plan, planTasks, type Task, taskOptions } from './plan.js';

/** Images of one of a plan's settings, as its first seed has them. */
export interface SettingImages {
  readonly train: number;
  /** 0 if the data set has none. */
  readonly val: number;
  readonly test: number;
}

/** Trainings of one kind: on the images of one setting, in one mode. */
export interface TrainingWork {
  readonly setting: string;
  readonly mode: Mode;
  /** Images that go through a training step, over all epochs, learning rates and seeds. */
  trained: number;
  /** Images that prompts are evaluated on: validation images after every epoch, and test images. */
  evaluated: number;
}

/** What one image costs, in seconds. */
export interface ImageCosts {
  readonly encoding: number;
  /** In a training step on a setting's classes. */
  step(work: Pick<TrainingWork, 'setting' | 'mode'>): number;
}

/** Seconds that a plan takes in one process with nothing done or cached. */
export interface Estimate {
  /** Encoding every image once; not including decoding, which dominates if it is slower. */
  readonly encoding: number;
  /** Training and evaluating prompts. Probes and zero-shot classification are small in comparison and not counted. */
  readonly training: number;
}

/** The trainings of a plan by kind. `images` has an entry for each setting. */
export function trainingWork(plan: Plan, images: ReadonlyMap<string, SettingImages>): TrainingWork[] {
  const all = new Map<string, TrainingWork>();
  for (const task of planTasks(plan)) {
    if (task.variant.work.kind !== 'prompts') continue;
    const { mode } = task.variant.work;
    const setting = task.setting.name;
    const key = `${setting} ${mode}`;
    const work = all.get(key) ?? { setting, mode, trained: 0, evaluated: 0 };
    all.set(key, work);
    addTask(work, plan, task, images.get(setting)!);
  }
  return [...all.values()];
}

/** One training for each learning rate; if the rate is chosen without validation images, one more on all training images. */
function addTask(work: TrainingWork, plan: Plan, task: Task, { train, val, test }: SettingImages): void {
  const rates = plan.configuration.learningRates.length;
  const { epochs } = taskOptions(plan, task, {});
  // A tenth of the training images takes the place of missing validation images while a rate is chosen.
  const held = rates > 1 && val === 0 ? Math.round(train / 10) : 0;
  const last = held > 0 ? 1 : 0;
  work.trained += epochs * (rates * (train - held) + last * train);
  work.evaluated += epochs * rates * (val + held) + test;
}

/** Half of a training step's work is the backward pass, which evaluation does not have. */
const FORWARD = 0.5;

export function estimate(images: number, works: readonly TrainingWork[], costs: ImageCosts): Estimate {
  const training = works.map((work) => costs.step(work) * (work.trained + FORWARD * work.evaluated));
  return { encoding: images * costs.encoding, training: training.reduce((sum, seconds) => sum + seconds, 0) };
}

/** `40 s`, `12 min`, `3 h 20 min`. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
