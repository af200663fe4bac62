/** GPU devices that fail, and Ctrl-C while one computes: training goes on by itself once, all else ends in one line that says how to go on. */
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { closeGpu, nodeAdapter } from '../../../src/node/gpu.js';
import { fixture, ptdpc, scratchPath, setUpProgram } from '../program.js';
import { expectDone, readRunFile, setUpModelAndImages, trainArgs } from './support.js';

const hasAdapter = (await nodeAdapter().catch(() => null)) !== null;
closeGpu();

setUpProgram();
setUpModelAndImages();

const hook = pathToFileURL(fixture('../support/failing-gpu.mjs')).href;

/** Runs a command line whose devices fail as `faults` say (test/support/failing-gpu.mjs). */
const failing = (faults: string, args: readonly string[]) =>
  ptdpc(args, { NODE_OPTIONS: `--import ${hook}`, FAILING_GPU: faults });

const training = (out: string, ...options: string[]) =>
  trainArgs(out, '--device', 'webgpu', '--epochs', '2', '--batch-size', '8', ...options);

/** An epoch has 7 read-backs: two of each of two steps, one of the validation, two of the state; encoding has 2 before the first. */
const IN_SECOND_EPOCH = 11;

async function expectSameAsStraight(out: string): Promise<void> {
  for (const name of ['metrics.jsonl', 'prompts.safetensors', 'state.safetensors']) {
    expect((await readRunFile(out, name)).equals(await readRunFile('straight', name)), name).toBe(true);
  }
}

/** The command line ends in one line of ours. Returns it. */
async function refusal(faults: string, args: readonly string[]): Promise<string> {
  const { code, signal, stdout, stderr } = await failing(faults, args);
  expect([code, signal, stdout], stderr).toEqual([2, null, '']);
  const said = stderr.trimEnd().split('\n');
  expect(said.filter((line) => line.startsWith('ptdpc: '))).toEqual([said.at(-1)]);
  expect(stderr).not.toMatch(/^ +at /m);
  return said.at(-1)!;
}

const LOST = 'WebGPU lost its device on .+: device was destroyed';

describe.skipIf(!hasAdapter)('train', () => {
  beforeAll(() => expectDone(training('straight')));

  test('loses its device: goes on by itself, to the same result', async () => {
    const { code, stderr } = await failing(`lose@${IN_SECOND_EPOCH}`, training('once'));
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(new RegExp(`\n${LOST}; opening it again\nonce: resuming after epoch 1 of 2\n`));
    await expectSameAsStraight('once');
  });

  test('loses two, while encoding and while tuning: says how to go on, and then does', async () => {
    const last = await refusal(`lose@1,lose@${IN_SECOND_EPOCH}`, training('twice', '--no-cache'));
    expect(last).toMatch(
      new RegExp(`^ptdpc: ${LOST}; resume with: npx ptdpc train .* --out twice .*--device cpu may help\\)$`),
    );
    const { stderr } = await expectDone(training('twice', '--no-cache'));
    expect(stderr).toMatch(/^twice: resuming after epoch 1 of 2$/m);
    await expectSameAsStraight('twice');
  });

  test('is interrupted while it waits for the device: ends by the signal, and resumes', async () => {
    const { signal, stderr } = await failing(`interrupt@${IN_SECOND_EPOCH}`, training('interrupted'));
    expect(signal, stderr).toBe('SIGINT');
    expect(stderr).toMatch(/^if interrupted, resume with: npx ptdpc train .* --out interrupted /m);
    await expectDone(training('interrupted'));
    await expectSameAsStraight('interrupted');
  });

  test('has no memory left', async () => {
    expect(await refusal('fill@5', training('full'))).toMatch(
      /^ptdpc: WebGPU ran out of memory on .+: no memory left; try a smaller --memory, or --device cpu$/,
    );
  });
});

test.skipIf(!hasAdapter)('embed loses its device: no file, until the same command is given again', async () => {
  const embed = ['embed', '--model', 'model', 'data', '--device', 'webgpu', '--out', 'lost.safetensors', '--no-cache'];
  expect(await refusal('lose@1', embed)).toMatch(new RegExp(`^ptdpc: ${LOST}; resume with: npx ptdpc embed `));
  expect(existsSync(scratchPath('lost.safetensors'))).toBe(false);
  await expectDone(embed);
  expect(existsSync(scratchPath('lost.safetensors'))).toBe(true);
});
