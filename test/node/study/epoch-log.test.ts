/** What a study notes of a training: every epoch once, with what it cost, and the numbers of those that are looked at. */
import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EpochLog } from '../../../src/node/study/epoch-log.js';
import { MeteredBackend } from '../../../src/node/study/metered-backend.js';
import { looksAt } from '../../../src/node/study/on-test.js';
import { Engine, matmul } from '../../../src/tensor/index.js';
import { openTestDevice } from '../../support/devices.js';
import { scratchFolder } from '../scratch.js';

const scratch = scratchFolder();
const state = (epochs: number, ...prompts: number[]) => ({
  ...{ epochs, prompts: Float32Array.from(prompts) },
  optimizer: { steps: 0, tensors: [] },
});

test('an epoch that was cut short in the notes, or trained twice, counts once: as it was trained last', async () => {
  const meter = new MeteredBackend(await openTestDevice('cpu'));
  const task = scratch('task');
  await mkdir(task);
  const log = new EpochLog(task, meter, (epoch) => epoch !== 2);
  log.begin();
  await log.epoch('lr-0.1', state(1, 0.5, -1));
  await log.epoch('lr-0.1', state(2, 7));
  await log.epoch('lr-0.1', state(3, 3));
  await appendFile(join(task, 'study/epochs/lr-0.1.jsonl'), '\n{"epoch":4,"seco');
  const again = new EpochLog(task, meter, (epoch) => epoch !== 2);
  again.begin();
  await again.epoch('lr-0.1', state(3, 4));
  await again.epoch('final', state(1, 8));
  const read = await again.read();
  expect(read.map(({ run, epoch, learned }) => [run, epoch, learned && [...learned]])).toEqual([
    ['final', 1, [8]],
    ['lr-0.1', 1, [0.5, -1]],
    ['lr-0.1', 2, null],
    ['lr-0.1', 3, [4]],
  ]);
  await again.remove();
  expect(await again.read()).toEqual([]);
  meter.dispose();
});

test('arithmetic and memory are counted between the laps, and nothing that was there before', async () => {
  const meter = new MeteredBackend(await openTestDevice('cpu'));
  const engine = new Engine(meter);
  using before = engine.scope(() => engine.zeros([8, 8]).share());
  meter.start();
  expect(meter.lap()).toMatchObject({ flops: 0, peakBytes: 0 });
  {
    using a = engine.scope(() => engine.zeros([4, 8]).share());
    using product = engine.scope(() => matmul(a, before));
    await product.read();
  }
  // 4 x 8 x 8 multiplications and as many additions; two results of 32 numbers.
  const lap = meter.lap();
  expect(lap.flops).toBe(2 * 4 * 8 * 8);
  expect(lap.peakBytes).toBeGreaterThanOrEqual(2 * 32 * 4);
  meter.resume();
  expect(meter.lap().flops).toBe(0);
  expect(meter.lap().peakBytes).toBe(lap.peakBytes);
  meter.dispose();
});

test('every epoch is looked at, or ten that are evenly spaced, the last among them', () => {
  const looks = (epochs: number, perImage: boolean) =>
    Array.from({ length: epochs }, (_, i) => i + 1).filter(looksAt(epochs, perImage));
  expect(looks(200, false)).toHaveLength(200);
  expect(looks(3, true)).toEqual([1, 2, 3]);
  expect(looks(10, true)).toHaveLength(10);
  expect(looks(25, true)).toEqual([3, 5, 8, 10, 13, 15, 18, 20, 23, 25]);
});
