/** The command line of `npm run faults -- --help`. README.md says what it is for. */
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { parseInteger, parseSeed } from '../src/cli/options.js';
import { table } from '../src/cli/tables.js';
import { packageRoot } from '../src/node/package.js';
import { type Outcome, runCampaign } from './campaign.js';
import { type CommandName, type Device, JOBS, PHASES } from './jobs/index.js';

interface Flags {
  command?: CommandName;
  kills: number;
  seed: number;
  device: Device;
  json?: boolean;
}

await new Command('faults')
  .description(
    'Kills commands (kill -9, the whole process group) at random moments, looks at what they leave, and lets them go on. Exits ' +
      'with 1 where anything is lost, half-written under its final name, or other than without a kill.',
  )
  .addOption(new Option('--command <name>', 'only this one').choices(Object.keys(JOBS)))
  .option('--kills <n>', 'kills of each command', parseInteger(1, 100_000), 50)
  .option('--seed <n>', 'seed of the moments', parseSeed, 1)
  .addOption(new Option('--device <name>', 'for embed and train').choices(['cpu', 'webgpu']).default('cpu'))
  .option('--json', 'print an array of results')
  .action(faults)
  .parseAsync();

async function faults({ command: only, kills, seed, device, json }: Flags): Promise<void> {
  const outcomes: Outcome[] = [];
  for (const command of only ? [only] : (Object.keys(JOBS) as CommandName[])) {
    const outcome = await runCampaign({
      ...{ command, device, kills, seed },
      program: join(packageRoot(), 'dist/cli/main.js'),
      keep: join(packageRoot(), '.cache/faults'),
      onKill: (done) => {
        if (process.stderr.isTTY) process.stderr.write(`\r${command}: ${done} of ${kills} kills`);
      },
    });
    if (process.stderr.isTTY) process.stderr.write('\n');
    outcomes.push(outcome);
    for (const failure of outcome.failures) console.error(`${command}, ${device}, seed ${seed}, ${failure}`);
    if (outcome.failures.length > 0 || outcome.kills < kills) process.exitCode = 1;
  }
  console.log(json ? JSON.stringify(outcomes, null, 2) : outcomeTable(outcomes));
}

function outcomeTable(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map(({ command, device, undisturbed, lives, kills, phases, missed, failures }) => [
    ...[
      command,
      device,
      (undisturbed / 1000).toFixed(1),
      String(lives),
      String(kills),
      ...PHASES.map((phase) => String(phases[phase])),
    ],
    ...[String(missed), String(failures.length)],
  ]);
  const heads = ['command', 'device', 'seconds', 'lives', 'kills', ...PHASES, 'missed', 'failed'];
  return table([heads, ...rows]);
}
