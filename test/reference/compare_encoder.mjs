// Holds an encoder of real size against PyTorch's features, and times it:
//
//     npm run build && node test/reference/compare_encoder.mjs DIR/base.pth [cpu|webgpu]... [--feature NAME] [--images 4] [--rounds 3]
//
// Beside the checkpoint lies `expected.safetensors` of the reference that wrote it, with `pixel_values` and the feature under the file's name.
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { readEncoder } from '../../dist/encoders/index.js';
import { openCheckpointFiles } from '../../dist/node/checkpoint-files.js';
import { openDevice } from '../../dist/node/index.js';
import { Engine } from '../../dist/tensor/index.js';

/** Of the feature's norm: what a device may be off by. */
const TOLERANCE = 1e-4;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { feature: { type: 'string' }, images: { type: 'string' }, rounds: { type: 'string', default: '3' } },
});
const [path, ...devices] = positionals;
if (path === undefined) throw new Error('expected a checkpoint');
const { checkpoint, close } = await openCheckpointFiles([path]);
const golden = await openCheckpointFiles([join(dirname(path), 'expected.safetensors')]);
const encoder = readEncoder(checkpoint);
if (!encoder) throw new Error(`${path}: of no encoder that is known`);
const pixels = Float32Array.from(await golden.checkpoint.read('pixel_values'));
const [count, ...image] = golden.checkpoint.shape('pixel_values');
const expected = await golden.checkpoint.read(values.feature ?? basename(path).replace(/\..*$/, ''));
const images = Math.min(count, Number(values.images ?? count));
for (const name of devices.length > 0 ? devices : ['cpu', 'webgpu']) {
  using device = await openDevice(name);
  const engine = new Engine(device.backend);
  using tower = await encoder.load(engine);
  using input = engine.tensor(pixels.subarray(0, images * (pixels.length / count)), [images, ...image]);
  let found;
  const seconds = [];
  for (let round = 0; round <= Number(values.rounds); round++) {
    const begin = performance.now();
    using features = engine.scope(() => tower.pool(input));
    found = await features.read();
    // The first round compiles.
    if (round > 0) seconds.push((performance.now() - begin) / 1000);
  }
  const width = found.length / images;
  const off = Array.from({ length: images }, (_, i) => {
    const [own, wanted] = [found, expected].map((all) => all.subarray(i * width, (i + 1) * width));
    return Math.hypot(...wanted.map((value, c) => value - own[c])) / Math.hypot(...wanted);
  });
  const worst = Math.max(...off);
  const fastest =
    seconds.length > 0 ? `, ${(images / Math.min(...seconds)).toPrecision(3)} images/s in batches of ${images}` : '';
  console.log(
    `${basename(path)} on ${device.backend.description}: off by ${worst.toExponential(1)} of the feature's norm${fastest}`,
  );
  if (!(worst <= TOLERANCE)) process.exitCode = 1;
}
await close();
await golden.close();
