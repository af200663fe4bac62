/** The process that judges mutants, one after the other, while another one watches it (see watch.ts). */
import { InputError } from '../src/errors.js';
import { openWebGpu } from '../src/node/device.js';
import { nodeAdapter } from '../src/node/gpu.js';
import { Judge, type Verdict } from './judge.js';
import { allShaders, type Mutant } from './shader.js';

/** A mutant to be judged, and cases to begin with. */
export interface Assignment {
  readonly mutant: Mutant;
  readonly first: readonly string[];
  /** Seconds of processor time that a case may take: other programs may be busy. */
  readonly limit: number;
}

const POLL_MILLISECONDS = 100;

/** `on`: the case that is run now, and the seconds of processor time that the one before took; with a verdict, those of the last. */
export type Message =
  | { readonly kind: 'ready'; readonly adapter: string }
  | { readonly kind: 'on'; readonly name: string; readonly took: number }
  | { readonly kind: 'hung' }
  | { readonly kind: 'verdict'; readonly verdict: Verdict; readonly took: number; readonly unsound: readonly string[] };

/** Judges what the parent process sends, until that is gone. */
export async function work(): Promise<void> {
  const send = (message: Message) => process.send!(message);
  const adapter = await nodeAdapter();
  if (!adapter) throw new InputError('expected a WebGPU adapter on this machine, found none: ptdpc doctor says why');
  const backend = await openWebGpu(adapter, { poison: true });
  let limit = Number.POSITIVE_INFINITY;
  let began = process.cpuUsage();
  const seconds = () => {
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1e6;
  };
  const judge = new Judge(backend, (name) => {
    send({ kind: 'on', name, took: seconds() });
    began = process.cpuUsage();
  });
  // The device computes on threads of this process, while this one waits.
  setInterval(() => seconds() > limit && send({ kind: 'hung' }), POLL_MILLISECONDS);
  const shaders = new Map(allShaders().map((shader) => [shader.name, shader]));
  process.on('disconnect', () => process.exit());
  process.on('message', ({ mutant, first, ...assignment }: Assignment) => {
    began = process.cpuUsage();
    limit = assignment.limit;
    const shader = shaders.get(mutant.shader)!;
    judge.judge(shader, mutant, first).then(
      (verdict) => {
        limit = Number.POSITIVE_INFINITY;
        send({ kind: 'verdict', verdict, took: seconds(), unsound: judge.unsound });
      },
      (error: Error) => {
        // Of the device: what comes after it on the same one says nothing.
        const verdict: Verdict = { outcome: 'killed', by: 'fault', where: error.message };
        process.send!({ kind: 'verdict', verdict, took: seconds(), unsound: judge.unsound } satisfies Message, () =>
          process.exit(3),
        );
      },
    );
  });
  send({ kind: 'ready', adapter: backend.description });
}
