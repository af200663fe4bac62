/** What encoding takes beside the weights, measured. */
import type { LoadableEncoder } from '../../src/encoders/index.js';
import { CpuBackend } from '../../src/kernels/index.js';
import { Engine } from '../../src/tensor/index.js';

/** Bytes that each image of a batch takes at the peak of `pool`, its pixels among them. */
export async function measuredPerImage(encoder: LoadableEncoder, batch: number): Promise<number> {
  const backend = new CpuBackend();
  const engine = new Engine(backend);
  const { imageSize } = encoder.config;
  using tower = await encoder.load(engine);
  using values = engine.tensor(new Float32Array(768), [3, 256]);
  using pixels = engine.indices(new Int32Array(batch * imageSize ** 2), [batch, imageSize, imageSize]);
  const before = backend.memory.bytes - 4 * pixels.size;
  backend.memory.peakBytes = 0;
  using _ = engine.scope(() => tower.pool(pixels, values));
  return (backend.memory.peakBytes - before) / batch;
}
