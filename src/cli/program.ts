/** The `ptdpc` command, on a Node that `main.ts` has found new enough. */
import { COMMANDS } from './commands.js';
import { endWithOutput } from './output.js';
import { report, run } from './run.js';

endWithOutput();
process.on('uncaughtException', (error) => process.exit(report(error)));

// Set rather than exited with, so that what is still in the pipes gets out.
process.exitCode = await run(COMMANDS, process.argv.slice(2));
