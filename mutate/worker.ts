/** The process that judges mutants, one after the other, while another one watches it (see watch.ts). */
import type { WebGpuBackend } from '../src/kernels/index.js';
import { openDevice } from '../src/node/device.js';
import { Judge, type Verdict } from './judge.js';
import { allShaders, type Mutant } from './shader.js';

/** A mutant to be judged, and cases to begin with. */
export interface Assignment {
  readonly mutant: Mutant;
  readonly first: readonly string[];
}

/** `on`: the case that is run now. */
export type Message =
  | { readonly kind: 'ready'; readonly adapter: string }
  | { readonly kind: 'on'; readonly name: string }
  | { readonly kind: 'verdict'; readonly verdict: Verdict; readonly unsound: readonly string[] };

/** Judges what the parent process sends, until that is gone. */
export async function work(): Promise<void> {
  const send = (message: Message) => process.send!(message);
  const { backend } = await openDevice('webgpu');
  const judge = new Judge(backend as WebGpuBackend, (name) => send({ kind: 'on', name }));
  const shaders = new Map(allShaders().map((shader) => [shader.name, shader]));
  process.on('disconnect', () => process.exit());
  process.on('message', ({ mutant, first }: Assignment) => {
    const shader = shaders.get(mutant.shader)!;
    judge.judge(shader, mutant, first).then(
      (verdict) => send({ kind: 'verdict', verdict, unsound: judge.unsound }),
      (error: Error) => {
        // Of the device: what comes after it on the same one says nothing.
        const verdict: Verdict = { outcome: 'killed', by: 'fault', where: error.message };
        process.send!({ kind: 'verdict', verdict, unsound: judge.unsound } satisfies Message, () => process.exit(3));
      },
    );
  });
  send({ kind: 'ready', adapter: backend.description });
}
