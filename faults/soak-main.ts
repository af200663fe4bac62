/** The command line of `npm run soak -- --help`. README.md says what it is for. */
import { Command, Option } from 'commander';
import { parsePositive } from '../src/cli/options.js';
import type { Device } from './jobs/job.js';
import { type Sample, soak, soakProblem } from './soak.js';

interface Flags {
  minutes: number;
  device: Device;
  mostGrowth: number;
  json?: boolean;
}

const MIB = 2 ** 20;

/** The first tenth is not counted. */
const WARM_UP = 0.1;

await new Command('soak')
  .description(
    'Trains small prompts again and again in one process, and fits a line to its resident memory. Exits with 1 where live buffers are not ' +
      'what they were after the first round, or the line grows too far.',
  )
  .option('--minutes <n>', 'how long', parsePositive, 25)
  .addOption(new Option('--device <name>', 'where').choices(['cpu', 'webgpu']).default('cpu'))
  .option('--most-growth <MiB>', 'resident memory that the line may grow by from beginning to end', parsePositive, 32)
  .option('--json', 'print the result as JSON')
  .action(main)
  .parseAsync();

async function main({ minutes, device, mostGrowth, json }: Flags): Promise<void> {
  let said = 0;
  const result = await soak({
    device,
    goesOn: (_rounds, seconds) => seconds < 60 * minutes,
    warmUp: { rounds: 3, seconds: 60 * WARM_UP * minutes },
    onRound: (sample) => {
      if (sample.seconds < said) return;
      said = sample.seconds + 60;
      console.error(sampleLine(sample));
    },
  });
  const problem = soakProblem(result, mostGrowth * MIB);
  if (json) console.log(JSON.stringify({ ...result, problem: problem ?? null }, null, 2));
  else {
    const { rounds, counted, hours, residentSlope, buffersSlope, bytesSlope, last } = result;
    console.log(
      `${result.device}: ${rounds} rounds in ${(60 * hours).toFixed(1)} minutes, slopes of the last ${counted}`,
    );
    console.log(sampleLine(last));
    console.log(
      `resident ${(residentSlope / MIB).toFixed(2)} MiB/hour, live buffers ${buffersSlope.toFixed(4)} a round, ` +
        `their bytes ${bytesSlope.toFixed(1)} a round`,
    );
  }
  if (problem === undefined) return;
  console.error(problem);
  process.exitCode = 1;
}

function sampleLine({ round, seconds, resident, buffers, bytes, heldBytes }: Sample): string {
  const held = `${buffers} live buffers of ${(bytes / MIB).toFixed(2)} MiB, ${(heldBytes / MIB).toFixed(2)} MiB held`;
  return `${(seconds / 60).toFixed(1)} min, round ${round}: ${(resident / MIB).toFixed(1)} MiB resident, ${held}`;
}
