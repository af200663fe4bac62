/** What the tests of training and its use start from: a small CLIP, labelled images, and the files of a run read back. */
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect } from 'vitest';
import { bytesSource, openCheckpoint } from '../../../src/clip/checkpoint/index.js';
import { encodePng } from '../../../src/clip/image/index.js';
import type { EpochMetrics, StepMetrics } from '../../../src/ptdpc/index.js';
import { randomReals } from '../../support/random.js';
import { fixture, ptdpc, scratchPath } from '../program.js';
import { tinyVocabulary } from '../tiny-vocabulary.js';

export const CLASSES = ['awe', 'great_joy', 'sadness'] as const;
export const WORDS = ['awe', 'great joy', 'sadness'] as const;

/** Images of a class in each split: 15 to train on, 6 to validate, 9 to test. */
const SPLITS = { train: 5, val: 2, test: 3 } as const;

/** A noisy 40 x 30 PNG, more or less of one colour. */
export function noisyPng(channel: number, seed: number): Uint8Array {
  const noise = randomReals(seed)(40 * 30 * 3);
  return encodePng(
    Uint8Array.from(noise, (x, i) => 60 + 50 * x + (i % 3 === channel ? 90 : 0)),
    40,
    30,
  );
}

/** `<data>/{train,val,test}/<class>/NN.png`; the classes differ in colour. */
export async function makeImages(data: string, splits: Readonly<Record<string, number>> = SPLITS): Promise<void> {
  let seed = 0;
  for (const [split, count] of Object.entries(splits)) {
    for (const [channel, folder] of CLASSES.entries()) {
      await mkdir(join(data, split, folder), { recursive: true });
      for (let i = 0; i < count; i++) {
        await writeFile(join(data, split, folder, `${String(i).padStart(2, '0')}.png`), noisyPng(channel, seed++));
      }
    }
  }
}

/** The golden tiny CLIP as a model directory. */
export async function makeModel(directory: string): Promise<void> {
  await mkdir(directory);
  for (const name of ['config.json', 'model.safetensors']) {
    await copyFile(fixture(`clip-tiny/${name}`), join(directory, name));
  }
  await writeFile(join(directory, 'merges.txt'), tinyVocabulary);
}

/** Puts `model/` and `data/` into the scratch folder, which is the program's working directory. After `setUpProgram`. */
export function setUpModelAndImages(): void {
  beforeAll(async () => {
    await makeModel(scratchPath('model'));
    await makeImages(scratchPath('data'));
  });
}

/** Arguments of a short training into `out`. */
export const trainArgs = (out: string, ...options: string[]): string[] => [
  ...['train', '--model', 'model', '--data', 'data', '--out', out, '--device', 'cpu'],
  ...options,
];

/** Trains and expects that to work. Returns what the program printed. */
export async function train(out: string, ...options: string[]) {
  return expectDone(trainArgs(out, ...options));
}

/** Runs what must succeed. */
export async function expectDone(args: readonly string[]) {
  const outcome = await ptdpc(args);
  expect(outcome.code, outcome.stderr).toBe(0);
  return outcome;
}

export const readRunFile = (run: string, name: string): Promise<Buffer> => readFile(join(scratchPath(run), name));

export const readRunJson = async (run: string, name = 'run.json') =>
  JSON.parse((await readRunFile(run, name)).toString()) as Record<string, unknown>;

export interface Metrics {
  lines: string[];
  steps: StepMetrics[];
  epochs: EpochMetrics[];
}

export async function readMetrics(run: string): Promise<Metrics> {
  const text = (await readRunFile(run, 'metrics.jsonl')).toString();
  expect(text.endsWith('\n')).toBe(true);
  const lines = text.trimEnd().split('\n');
  const all = lines.map((line) => JSON.parse(line) as StepMetrics | EpochMetrics);
  return {
    lines,
    steps: all.filter((metrics) => metrics.type === 'step'),
    epochs: all.filter((metrics) => metrics.type === 'epoch'),
  };
}

export async function readPrompts(run: string) {
  return openCheckpoint(bytesSource('prompts.safetensors', await readRunFile(run, 'prompts.safetensors')));
}

/** Names in a folder of the scratch folder, hidden ones included, sorted. */
export const names = async (folder: string): Promise<string[]> => (await readdir(scratchPath(folder))).sort();

/** The largest difference of two lists of numbers. */
export function difference(a: readonly number[], b: readonly number[]): number {
  expect(a).toHaveLength(b.length);
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);
}

export const lossesOf = ({ steps }: Metrics): number[] => steps.map(({ loss }) => loss);
