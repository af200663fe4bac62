/** What the host calls: the kernels, each a job of tasks, and the life of a worker thread. */
import { attend } from './attention';
import { attentionGradKeyValue, attentionGradQuery } from './attention-grad';
import { multiplyAdd } from './ceiling';
import { layerNorm, layerNormGrad } from './layer-norm';
import { AttentionJob, Control, Job, Kind, LayerNormJob, MatmulJob, PoolJob, WinogradJob } from './layout.generated';
import { multiply } from './matmul';
import { convolveSquares } from './winograd';
import { averagePool, maxPool } from './pool';
import { firstTile, nextTile } from './tile';

export { firstTile, multiplyAdd, nextTile };

/**
 * Takes part in a job until no task is left; the result is complete when every participant has returned. `scratch` is this
 * thread's own memory; `maySleep` is false on a thread that must not block (a page's main thread).
 */
export function takePart(job: Job, scratch: usize, maySleep: bool): void {
  switch (job.kind) {
    case Kind.matmul: multiply(changetype<MatmulJob>(job), scratch, maySleep); break;
    case Kind.attention: attend(changetype<AttentionJob>(job), scratch); break;
    case Kind.attentionGradQuery: attentionGradQuery(changetype<AttentionJob>(job), scratch); break;
    case Kind.attentionGradKeyValue: attentionGradKeyValue(changetype<AttentionJob>(job), scratch); break;
    case Kind.layerNorm: layerNorm(changetype<LayerNormJob>(job)); break;
    case Kind.layerNormGrad: layerNormGrad(changetype<LayerNormJob>(job)); break;
    case Kind.winograd: convolveSquares(changetype<WinogradJob>(job), maySleep); break;
    case Kind.maxPool: maxPool(changetype<PoolJob>(job)); break;
    case Kind.averagePool: averagePool(changetype<PoolJob>(job)); break;
  }
}

/** A worker's life: sleeps until there is a job, takes part in it, until told to stop. */
export function work(control: Control, job: Job, scratch: usize): void {
  const base = changetype<usize>(control);
  let seen = 0;
  for (;;) {
    atomic.wait<i32>(base + offsetof<Control>('generation'), seen, -1);
    seen = atomic.load<i32>(base + offsetof<Control>('generation'));
    if (atomic.load<i32>(base + offsetof<Control>('stop'))) return;
    // Entered before `open` is read: whoever closes the job and then finds no one active knows that no one will be.
    atomic.add<i32>(base + offsetof<Control>('active'), 1);
    if (atomic.load<i32>(base + offsetof<Control>('open'))) takePart(job, scratch, true);
    atomic.sub<i32>(base + offsetof<Control>('active'), 1);
    atomic.notify(base + offsetof<Control>('active'), 1);
  }
}
