#!/usr/bin/env node
/** Entry point of the `ptdpc` command. Node's version is checked before anything is loaded that an older one cannot read. */
import { tooOld } from './node-version.js';

const refusal = tooOld(process.versions.node);
if (refusal === undefined) await import('./program.js');
else {
  process.stderr.write(`${refusal}\n`);
  process.exitCode = 2;
}
