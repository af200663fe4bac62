/** Two processes with the same output: one of them makes it, or both make the same; nothing of one gets into the other's. */
import { readdir, readFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { hashes, requireSameFolder } from '../../../faults/disk.js';
import { MEDIUM, makeModel as makeRandomModel } from '../../../faults/jobs/inputs.js';
import { testServer } from '../../node/hub/test-server.js';
import { writePublished } from '../../support/published-datasets.js';
import { type Outcome, ptdpc, scratchNames, scratchPath, setUpProgram } from '../program.js';
import { setUpModelAndImages, trainArgs } from '../tuning/support.js';
import { addTinyClip, expectDone, experimentArgs, fetchArgs, lastLine, WEIGHTS } from './support.js';

setUpProgram();
setUpModelAndImages();
const server = testServer();

beforeAll(async () => {
  await writePublished(scratchPath('sets/Twitter II'), 'twitter2');
  await makeRandomModel(scratchPath('random'), MEDIUM);
});

/** Runs two command lines at the same time. */
const both = (a: string[], b = a, env?: NodeJS.ProcessEnv) => Promise.all([ptdpc(a, env), ptdpc(b, env)]);

/** Expects that one did its work, and returns what the other one was told. */
function refusedOne(outcomes: readonly Outcome[]): string {
  expect(outcomes.map(({ code }) => code).sort(), outcomes.map(({ stderr }) => stderr).join('\n')).toEqual([0, 2]);
  return lastLine(outcomes.find(({ code }) => code === 2)!);
}

/** The other one may come while the first is at work, or after it. */
const BUSY = 'process \\d+ is writing it; wait for its end, or delete .*lock if it has ended';

test('convert', async () => {
  expect(refusedOne(await both(['convert', 'random', '--out', 'converted']))).toMatch(
    new RegExp(`^ptdpc: converted: (?:${BUSY}|the folder is not empty; .*)$`),
  );
  await expectDone(['convert', 'random', '--out', 'alone']);
  await requireSameFolder(scratchPath('converted'), scratchPath('alone'));
  expect((await scratchNames()).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('fetch', async () => {
  const env = await addTinyClip(server());
  server().bytesPerSecond = 1_000_000;
  expect(refusedOne(await both(fetchArgs('fetched'), undefined, env))).toMatch(new RegExp(`^ptdpc: fetched: ${BUSY}$`));
  expect((await readFile(scratchPath('fetched/model.safetensors'))).equals(server().files.get(WEIGHTS) as Buffer)).toBe(
    true,
  );
  expect(server().ranges(WEIGHTS)).toEqual([undefined]);
  expect((await scratchNames()).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('embed: both write the same, with one cache', async () => {
  const embed = ['embed', '--model', 'model', 'data', '--device', 'cpu', '--out'];
  for (const { code, stderr } of await both([...embed, 'features'])) expect(code, stderr).toBe(0);
  await expectDone([...embed, 'alone-features', '--no-cache']);
  expect(await readFile(scratchPath('features'))).toEqual(await readFile(scratchPath('alone-features')));
  expect((await scratchNames()).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('train', async () => {
  const options = ['--epochs', '30', '--batch-size', '4'];
  expect(refusedOne(await both(trainArgs('run', ...options)))).toMatch(new RegExp(`^ptdpc: --out run: ${BUSY}$`));
  await expectDone(trainArgs('alone-run', ...options));
  await requireSameFolder(scratchPath('run'), scratchPath('alone-run'));
});

test('experiment: they share the work', async () => {
  const outcomes = await both(experimentArgs('plan'), experimentArgs('plan', 'table3'));
  for (const { code, stderr } of outcomes) expect(code, stderr).toBe(0);
  for (const name of ['table2', 'table3']) {
    await expectDone(experimentArgs('alone-plan', name));
    const table = (plan: string) => readFile(scratchPath(`${plan}/${name}/${name}.tex`), 'utf8');
    expect(await table('plan')).toBe(await table('alone-plan'));
  }
  const computed = outcomes.flatMap(({ stderr }) => stderr.match(/^\S+: accuracy .* tasks done$/gm) ?? []);
  expect(computed.map((line) => line.split(':')[0]).sort()).toEqual((await readdir(scratchPath('plan/runs'))).sort());
  // Records and results name places, times and the process's own plan; predictions, prompts and metrics are equal.
  const runs = async (plan: string) =>
    [...(await hashes(scratchPath(`${plan}/runs`)))].filter(([name]) => !name.endsWith('.json'));
  expect(await runs('plan')).toEqual(await runs('alone-plan'));
});
