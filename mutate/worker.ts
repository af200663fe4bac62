/** The process that judges mutants, one after the other, while another one watches it (see watch.ts). */
import { InputError } from '../src/errors.js';
import { openWebGpu } from '../src/node/device.js';
import { nodeAdapter } from '../src/node/gpu.js';
import { Judge, type Verdict } from './judge.js';
import { LockstepSubject } from './lockstep.js';
import { allShaders, type Mutant, type Shader } from './shader.js';

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

/** Whether all variants that have the text are by matrices of subgroups, which hardly an adapter has. */
function needsMatrices({ users }: Shader): boolean {
  return users.every(({ variant: { needs } }) => needs?.startsWith('matrix'));
}

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
  const onCase = (name: string) => {
    send({ kind: 'on', name, took: seconds() });
    began = process.cpuUsage();
  };
  const onAdapter = new Judge(backend, onCase);
  const inLockstep = new Judge(await LockstepSubject.open(), onCase);
  // The device computes on threads of this process, while this one waits.
  setInterval(() => seconds() > limit && send({ kind: 'hung' }), POLL_MILLISECONDS);
  const shaders = new Map(allShaders().map((shader) => [shader.name, shader]));
  process.on('disconnect', () => process.exit());
  process.on('message', ({ mutant, first, ...assignment }: Assignment) => {
    began = process.cpuUsage();
    limit = assignment.limit;
    const shader = shaders.get(mutant.shader)!;
    const judge = needsMatrices(shader) ? inLockstep : onAdapter;
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
