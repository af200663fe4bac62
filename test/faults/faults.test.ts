/** A short round of kills of every command, on the program as a user runs it; and on one that does it wrong. */
import { expect, test } from 'vitest';
import { runCampaign } from '../../faults/campaign.js';
import { type CommandName, JOBS } from '../../faults/jobs/index.js';
import { programPath, setUpProgram } from '../cli/program.js';

setUpProgram();

test.each(Object.keys(JOBS) as CommandName[])('%s survives kills', async (command) => {
  const outcome = await runCampaign({ command, device: 'cpu', kills: 3, seed: 7, quick: true, program: programPath() });
  expect(outcome.failures).toEqual([]);
  expect(outcome.kills).toBe(3);
  expect(Object.values(outcome.phases).reduce((sum, kills) => sum + kills)).toBe(3);
});

test('a program that writes in place is found out', async () => {
  const program = new URL('careless.mjs', import.meta.url).pathname;
  const { kills, failures } = await runCampaign({
    ...{ command: 'convert', device: 'cpu', kills: 4, seed: 1, quick: true },
    program,
  });
  expect(kills).toBe(4);
  expect(failures[0]).toMatch(/^life \d+: weights is not that of an undisturbed call \(killed /);
});
