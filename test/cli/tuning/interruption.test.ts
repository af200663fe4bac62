/** A training that is killed or interrupted resumes, and ends with the bytes of one that was not. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { outcomeOf, scratchPath, setUpProgram, startPtdpc } from '../program.js';
import {
  names,
  readMetrics,
  readPrompts,
  readRunFile,
  readRunJson,
  setUpModelAndImages,
  train,
  trainArgs,
} from './support.js';

setUpProgram();
setUpModelAndImages();

const EPOCHS = 40;
const OPTIONS = ['--epochs', String(EPOCHS), '--batch-size', '4', '--optimizer', 'adamw', '--lr', '0.001'];
const FILES = ['images.csv', 'metrics.jsonl', 'prompts.safetensors', 'run.json', 'state.safetensors'];

beforeAll(() => train('straight', ...OPTIONS));

/**
 * Ends the training `out` by a signal once it has finished `epochs` epochs. It is sent until it has an effect, as by a person: on a busy machine
 * one can meet no handler (src/node/signals.ts).
 */
async function endAfter(out: string, epochs: number, signal: 'SIGKILL' | 'SIGINT') {
  const child = startPtdpc(trainArgs(out, ...OPTIONS));
  const outcome = outcomeOf(child);
  await expect.poll(() => finishedEpochs(out), { timeout: 200_000, interval: 2 }).toBeGreaterThanOrEqual(epochs);
  child.kill(signal);
  const again = setInterval(() => child.kill(signal), 300);
  try {
    return await outcome;
  } finally {
    clearInterval(again);
  }
}

async function finishedEpochs(out: string): Promise<number> {
  if (!existsSync(join(scratchPath(out), 'state.safetensors'))) return 0;
  return (await readMetrics(out).catch(() => undefined))?.epochs.length ?? 0;
}

async function expectSameAsStraight(out: string): Promise<void> {
  const { stderr } = await train(out, ...OPTIONS);
  expect(stderr).toMatch(new RegExp(`^${out}: resuming after epoch \\d+ of ${EPOCHS}$`, 'm'));
  expect(await names(out)).toEqual(FILES);
  for (const name of ['metrics.jsonl', 'prompts.safetensors', 'state.safetensors']) {
    expect((await readRunFile(out, name)).equals(await readRunFile('straight', name)), name).toBe(true);
  }
}

test('killed again and again', async () => {
  for (const epochs of [1, 8]) {
    const { code, signal } = await endAfter('killed', epochs, 'SIGKILL');
    expect([code, signal]).toEqual([null, 'SIGKILL']);
  }
  expect(await finishedEpochs('killed')).toBeLessThan(EPOCHS);
  await expectSameAsStraight('killed');
});

test('Ctrl-C ends it at once, as a shell reports with 130, and leaves nothing half-written', async () => {
  const { signal, stderr } = await endAfter('interrupted', 2, 'SIGINT');
  expect(signal).toBe('SIGINT');
  expect(stderr).toMatch(/^if interrupted, resume with: npx ptdpc train .* --out interrupted /m);
  expect((await names('interrupted')).filter((name) => name !== '.lock')).toEqual(FILES);
  expect((await readPrompts('interrupted')).names()).toEqual(['prompts']);
  expect(await readRunJson('interrupted')).toMatchObject({ options: { epochs: EPOCHS } });
  expect(await finishedEpochs('interrupted')).toBeLessThan(EPOCHS);
  await expectSameAsStraight('interrupted');
});

test('a finished one has nothing left to do', async () => {
  const { stdout, stderr } = await train('straight', ...OPTIONS);
  expect(stderr).toMatch(/^straight: all 40 epochs are already done$/m);
  expect(stdout).toMatch(/^straight: train accuracy /);
});
