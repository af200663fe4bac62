/** Image encoders on a batch of images whose pixels are ready, as bytes. */
import { clipPreprocessing, type Preprocessing, pixelValues } from '../../src/clip/image/index.js';
import { VisionTower } from '../../src/clip/towers/index.js';
import type { EncoderTower, LoadableEncoder } from '../../src/encoders/index.js';
import type { Backend } from '../../src/kernels/index.js';
import { Engine, type Tensor } from '../../src/tensor/index.js';
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
  const how = clipPreprocessing(config.vision.imageSize);
  return workload(tower, batch, how, (pixels, values) => tower.encode(pixels, values).features);
}

/** The same of any frozen encoder's pooled features. */
export async function poolWorkload(backend: Backend, batch: number, encoder: LoadableEncoder): Promise<Workload> {
  const tower = await encoder.load(new Engine(backend));
  return workload(tower, batch, encoder.usual, (pixels, values) => tower.pool(pixels, values));
}

function workload(
  tower: EncoderTower,
  batch: number,
  how: Preprocessing,
  encode: (pixels: Tensor, values: Tensor) => Tensor,
): Workload {
  const { engine } = tower;
  const { size } = how;
  const pixels = Int32Array.from(normal(batch * size * size), (x) => x * 2 ** 28);
  const values = pixelValues(how);
  return {
    async run() {
      using features = engine.scope(() =>
        encode(engine.indices(pixels, [batch, size, size]), engine.tensor(values, [3, 256])),
      );
      await features.read();
    },
    [Symbol.dispose]: () => tower[Symbol.dispose](),
  };
}
