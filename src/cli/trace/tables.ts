/** The tables of `--profile` that concern operations and the host. */
import type { KernelProfile, OperationProfile } from '../../kernels/index.js';
import type { Work } from '../../trace.js';
import { percent, table } from '../tables.js';
import type { HostRow, HostWork } from './host-recorder.js';

type Passes = Record<keyof OperationProfile, Pick<KernelProfile, 'calls' | 'seconds'>>;

/** Operations, those that take longest first, with their forward and backward passes. */
export function operationTable(operations: ReadonlyMap<string, OperationProfile>, wall: number): string {
  const sum = ({ forward, backward }: Passes) => forward.seconds + backward.seconds;
  const rows = [...operations].sort(([, a], [, b]) => sum(b) - sum(a));
  const total = (pass: 'forward' | 'backward') => {
    const sums = { calls: 0, seconds: 0 };
    for (const [, operation] of rows) {
      sums.calls += operation[pass].calls;
      sums.seconds += operation[pass].seconds;
    }
    return sums;
  };
  const all = { forward: total('forward'), backward: total('backward') };
  return table([
    ['operation', 'calls', 'forward s', 'calls', 'backward s', 'share'],
    ...rows.map(([name, operation]) => [name, ...passes(operation), percent(sum(operation) / wall)]),
    ['(all)', ...passes(all), percent(sum(all) / wall)],
  ]);
}

function passes({ forward, backward }: Passes): string[] {
  return [forward, backward].flatMap(({ calls, seconds }) =>
    calls > 0 ? [String(calls), seconds.toFixed(3)] : ['', ''],
  );
}

const DONE: Record<HostWork, string> = {
  start: 'starting: program, device',
  read: 'reading files',
  decode: 'decoding, or waiting for it',
  preprocess: 'preprocessing',
  load: 'loading weights',
  compile: 'compiling kernels',
  prepare: 'waiting for compiled kernels',
  record: 'recording kernels',
  compute: 'computing kernels',
  wait: 'waiting for the device',
  write: 'writing files',
  rest: '(other)',
};

/** What the host did, which adds up to the whole time, and what other threads did meanwhile. */
export function hostTable(rows: readonly HostRow[], threads: ReadonlyMap<Work, number>, wall: number): string {
  return table([
    ['host', 'times', 'seconds', 'share'],
    ...rows.map(({ work, times, seconds }) => [
      DONE[work],
      times > 0 ? String(times) : '',
      seconds.toFixed(3),
      percent(seconds / wall),
    ]),
    ...[...threads].map(([work, seconds]) => [`${work}, in other threads`, '', seconds.toFixed(3), '']),
  ]);
}
