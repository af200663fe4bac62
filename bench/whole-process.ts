/** Whole commands, from the start of the process to its end, beside the parts that they cannot do without. */
import { appendFileSync, copyFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { clipPreprocessing } from '../src/clip/image/index.js';
import { VisionTower } from '../src/clip/towers/index.js';
import { ImageDecoders } from '../src/node/image-decoders.js';
import { listImages } from '../src/node/image-files.js';
import { openModelDirectory } from '../src/node/model-directory.js';
import { hardwareThreads } from '../src/node/wasm-threads.js';
import { Engine } from '../src/tensor/index.js';
import { benchFile, photographs, realSizeModel, runPtdpc } from './models.js';
import { statistics } from './sampling.js';
import { type DeviceName, onDevice } from './session.js';
import { resultRow, type StandaloneBenchmark } from './standalone.js';
import { encodeWorkload } from './workloads/encode.js';

/** As `ptdpc embed` encodes. */
const TOWER_BATCH = 32;
/** ViT-B/32. */
const SIZE = 224;

/** `ptdpc embed` against its two halves: images a second in a whole process, and of the decoder and the tower alone. */
export const embedBenchmark: StandaloneBenchmark = {
  name: 'embed',
  devices: ['cpu', 'webgpu'],
  async measure(device, { rounds, quick }) {
    const images = quick ? 32 : 256;
    const model = realSizeModel('f16');
    const photos = photographs(`photos-${images}`, ['all'], images);
    const out = benchFile('embed.safetensors');
    const whole: number[] = [];
    const decoder: number[] = [];
    const tower: number[] = [];
    for (let round = 0; round < rounds; round++) {
      decoder.push(await decoderRate(photos));
      tower.push(await towerRate(device));
      const args = ['embed', photos, '--model', model, '--out', out, '--device', device, '--no-cache'];
      whole.push(images / runPtdpc(args));
    }
    rmSync(out, { force: true });
    const [slower, name] = median(decoder) < median(tower) ? [decoder, 'decoder alone'] : [tower, 'tower alone'];
    const notes = `${images} JPEG files of 640x480; decoder alone ${median(decoder).toFixed(1)}, tower alone ${median(tower).toFixed(2)} images/s`;
    const row = { peer: [name, median(slower)] as const, notes };
    return [resultRow('ptdpc embed, whole process', device, 'images/s', whole, row)];
  },
};

async function decoderRate(folder: string): Promise<number> {
  using decoders = new ImageDecoders(hardwareThreads());
  const how = clipPreprocessing(SIZE);
  const files = (await listImages([folder])).map((path) => ({ path, bytes: new Uint8Array(readFileSync(path)) }));
  const decode = (some: typeof files) => Promise.all(some.map(({ path, bytes }) => decoders.decode(bytes, path, how)));
  // The threads' start is the whole process's business.
  await decode(files.slice(0, 4).map(({ path, bytes }) => ({ path, bytes: bytes.slice() })));
  const start = performance.now();
  await decode(files);
  return files.length / ((performance.now() - start) / 1000);
}

async function towerRate(device: DeviceName): Promise<number> {
  return onDevice(device, async (backend) => {
    const model = await openModelDirectory(realSizeModel('f16'));
    using workload = await encodeWorkload(backend, TOWER_BATCH, model);
    await model[Symbol.asyncDispose]();
    await workload.run();
    const start = performance.now();
    for (let run = 0; run < 2; run++) await workload.run();
    return (2 * TOWER_BATCH) / ((performance.now() - start) / 1000);
  });
}

/**
 * `ptdpc predict` on one image that it has not seen, with a model and a run that it has used before, and what reading the weights takes of it;
 * beside it the first call, which hashes the weights and encodes the texts too.
 */
export const predictBenchmark: StandaloneBenchmark = {
  name: 'predict',
  devices: ['cpu', 'webgpu'],
  async measure(device, { rounds }) {
    const model = realSizeModel('f16');
    const photos = photographs('photos-few', ['train/calm', 'train/joy'], 2);
    const run = benchFile('predict-run');
    rmSync(run, { recursive: true, force: true });
    const options = ['--epochs', '1', '--batch-size', '4', '--device', 'cpu', '--no-cache'];
    runPtdpc(['train', '--model', model, '--data', photos, '--out', run, ...options]);
    const [image, cache] = [benchFile('predict.jpg'), benchFile('predict-cache')];
    copyFileSync(join(photos, 'train/joy/0000.jpg'), image);
    const predict = ['predict', image, '--run', run, '--device', device, '--cache', cache];
    const parts: Record<string, number[]> = { whole: [], first: [], start: [], file: [], hash: [], tower: [] };
    for (let round = 0; round < rounds; round++) {
      rmSync(cache, { recursive: true, force: true });
      parts.first!.push(runPtdpc(predict));
      // What follows the end of a picture makes it another file.
      appendFileSync(image, String(round));
      parts.whole!.push(runPtdpc(predict));
      parts.start!.push(runPtdpc(['--version']));
      parts.file!.push(seconds(() => readFileSync(join(model, 'model.safetensors'))));
      const { hash, tower } = await loadingSeconds(device, model);
      parts.hash!.push(hash);
      parts.tower!.push(tower);
    }
    for (const made of [run, image, cache]) rmSync(made, { recursive: true, force: true });
    const [whole, first, start, file, hash, tower] = Object.values(parts).map(median);
    const notes =
      `of it ${start!.toFixed(2)} s start of node, ${tower!.toFixed(2)} s reading the image tower onto the device ` +
      `(bare reading of the whole file ${file!.toFixed(2)} s), ${Math.max(0, whole! - start! - tower!).toFixed(2)} s everything else; ` +
      `the first call ${first!.toFixed(2)} s, of it ${hash!.toFixed(2)} s hashing the weights`;
    return [resultRow('ptdpc predict, second call with a model and a run', device, 's', parts.whole!, { notes })];
  },
};

async function loadingSeconds(device: DeviceName, path: string): Promise<{ hash: number; tower: number }> {
  return onDevice(device, async (backend) => {
    await using model = await openModelDirectory(path);
    const engine = new Engine(backend);
    const start = performance.now();
    await model.hash();
    const hashed = performance.now();
    using _tower = await VisionTower.load(engine, model.clip, model.config);
    // What was written is on the device once something can be read.
    using fence = engine.zeros([1]);
    await fence.read();
    return { hash: (hashed - start) / 1000, tower: (performance.now() - hashed) / 1000 };
  });
}

function seconds(body: () => unknown): number {
  const start = performance.now();
  body();
  return (performance.now() - start) / 1000;
}

function median(values: readonly number[]): number {
  return statistics(values).median;
}
