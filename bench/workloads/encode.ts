/** The vision tower on a batch of images whose pixels are ready, as bytes. */
import { clipPreprocessing, pixelValues } from '../../src/clip/image/index.js';
import { VisionTower } from '../../src/clip/towers/index.js';
import type { Backend } from '../../src/kernels/index.js';
import { Engine } from '../../src/tensor/index.js';
import { normal } from './numbers.js';
import { type Model, randomVitB32 } from './vit-b32.js';
import type { Workload } from './workload.js';

/** ViT-B/32, `batch` images at a time, from pixels in host memory to features in host memory. */
export async function encodeWorkload(
  backend: Backend,
  batch: number,
  model: Model = randomVitB32(),
): Promise<Workload> {
  const engine = new Engine(backend);
  const { clip, config } = model;
  const tower = await VisionTower.load(engine, clip, config);
  const { imageSize } = config.vision;
  const shape = [batch, imageSize, imageSize];
  const pixels = Int32Array.from(normal(batch * imageSize * imageSize), (x) => x * 2 ** 28);
  const values = pixelValues(clipPreprocessing(imageSize));
  return {
    async run() {
      using features = engine.scope(
        () => tower.encode(engine.indices(pixels, shape), engine.tensor(values, [3, 256])).features,
      );
      await features.read();
    },
    [Symbol.dispose]: () => tower[Symbol.dispose](),
  };
}
