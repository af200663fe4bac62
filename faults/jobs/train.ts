/** `ptdpc train`: a run that goes on after its last finished epoch, whatever was being written. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openFileSource } from '../../src/node/file-source.js';
import { readRunPrompts } from '../../src/node/run-directory.js';
import { readRunRecord } from '../../src/node/run-record.js';
import { decodeTrainingState } from '../../src/ptdpc/index.js';
import { isInCache, requireSegments } from './embed.js';
import { makeImages, makeModel, SMALL } from './inputs.js';
import {
  type Device,
  isBelowTemporary,
  isLock,
  type Job,
  namesBelow,
  type Phase,
  phaseOf,
  requireKnown,
  type Size,
} from './job.js';

const RUN_FILES = [
  'run',
  ...['run.json', 'images.csv', 'metrics.jsonl', 'prompts.safetensors', 'state.safetensors'].map(
    (name) => `run/${name}`,
  ),
];

/** So that all of it takes a few seconds on either device. */
const EPOCHS: Readonly<Record<Device, number>> = { cpu: 20, webgpu: 5 };
const QUICK_EPOCHS = 5;

export async function trainJob(inputs: string, { device, quick }: Size): Promise<Job> {
  await makeModel(join(inputs, 'model'), SMALL);
  await makeImages(join(inputs, 'data/train'), 30, 1);
  await makeImages(join(inputs, 'data/val'), 8, 2);
  const epochs = quick ? QUICK_EPOCHS : EPOCHS[device];
  const options = ['--epochs', String(epochs), '--batch-size', '32', '--optimizer', 'adamw', '--lr', '0.001'];
  return {
    args: [
      ...['train', '--model', join(inputs, 'model'), '--data', join(inputs, 'data'), '--out', 'run'],
      ...['--device', device, ...options],
    ],
    env: {},
    output: 'run',
    inspect: async (folder, reference, isNew) => {
      const names = await namesBelow(folder);
      const isRun = (name: string) => RUN_FILES.includes(name) || isBelowTemporary(name) || isLock(name);
      requireKnown(names, (name) => isRun(name) || isInCache(name));
      const segments = await requireSegments(folder, names);
      return (await runPhase(folder, reference, epochs)) ?? phaseOf(names, isNew, segments > 0);
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

/** Throws unless every file of the run is whole; undefined if there is no epoch yet. */
async function runPhase(folder: string, reference: string, epochs: number): Promise<Phase | undefined> {
  const run = join(folder, 'run');
  const has = (name: string) => existsSync(join(run, name));
  if (has('run.json')) await readRunRecord(run);
  const metrics = has('metrics.jsonl') ? await readFile(join(run, 'metrics.jsonl')) : Buffer.alloc(0);
  if (!has('prompts.safetensors')) return metrics.length > 0 ? 'writing' : undefined;
  const prompts = await readRunPrompts(run);
  if (!has('state.safetensors')) return 'writing';
  await using source = await openFileSource(join(run, 'state.safetensors'));
  const { state, metricsBytes } = await decodeTrainingState(source, prompts.prompts.length, 'adamw');
  const straight = await readFile(join(reference, 'run/metrics.jsonl'));
  if (!metrics.subarray(0, metricsBytes).equals(straight.subarray(0, metricsBytes)))
    throw new Error('metrics.jsonl does not begin like that of an undisturbed call');
  if (prompts.epochs !== state.epochs && prompts.epochs !== state.epochs + 1)
    throw new Error(`prompts of epoch ${prompts.epochs}, state of epoch ${state.epochs}`);
  if (metrics.length !== metricsBytes || prompts.epochs !== state.epochs) return 'writing';
  return state.epochs === epochs ? 'complete' : 'work kept';
}
