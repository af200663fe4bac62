/** `ptdpc embed`: image features into a safetensors file. */
import type { Command } from 'commander';
import { IMAGE_EXTENSIONS } from '../clip/image/formats.js';
import { counted } from '../errors.js';
import type { DeviceChoice } from '../kernels/device-choice.js';
import { openReportedDevice } from './device.js';
import {
  addCacheOptions,
  addExamples,
  cacheDirectory,
  deviceOption,
  type EncodingOptions,
  jsonOption,
  keepsFeatures,
  memoryOption,
  modelOption,
  strictOption,
  truncatedOption,
} from './options.js';
import { printJson, say, saySkipped } from './output.js';
import { TERMINAL } from './progress.js';

interface Options extends EncodingOptions {
  model: string;
  out: string;
  device: DeviceChoice;
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .description(
      "Encode images with CLIP's vision tower into a safetensors file with the tensor image_features [N, D] in float32, " +
        'sorted by path: projected into the joint space, not normalised. The metadata lists the N paths as a JSON array ' +
        'under "files", and truncated images that were read also under "truncated".',
    )
    .argument('<images...>', `image files, or folders of ${IMAGE_EXTENSIONS} files`)
    .addOption(modelOption())
    .requiredOption('--out <file>', 'safetensors file to write')
    .addOption(deviceOption())
    .addOption(memoryOption())
    .addOption(strictOption())
    .addOption(truncatedOption())
    .addOption(jsonOption())
    .action(embed);
  addCacheOptions(command);
  addExamples(command, [
    ['ptdpc embed --model clip-b32 photos/ --out features.safetensors', 'all images below a folder'],
    ['ptdpc embed --model clip-b32 a.jpg b.png --out ab.safetensors --device webgpu', 'two images, on the GPU'],
  ]);
}

async function embed(inputs: string[], options: Options): Promise<void> {
  const { writeSafetensors } = await import('../clip/checkpoint/index.js');
  const { createFileAtomically, requirePlaceForFile } = await import('../node/atomic.js');
  const { encodeFiles } = await import('../node/encode-splits.js');
  const { listImages } = await import('../node/image-files.js');
  const { openModelDirectory } = await import('../node/model-directory.js');
  const { Engine } = await import('../tensor/index.js');
  await requirePlaceForFile(options.out);
  const paths = await listImages(inputs);
  await using model = await openModelDirectory(options.model);
  using device = await openReportedDevice(options.device, keepsFeatures(options));
  // Needed at the end; started now, it costs no time. A failure is reported where it is awaited.
  const hash = model.hash();
  hash.catch(() => {});
  const { memory, strict, truncated: cut } = options;
  const result = await encodeFiles(
    {
      ...{ engine: new Engine(device.backend), model, memory, strict, truncated: cut, events: TERMINAL },
      cacheDirectory: cacheDirectory(options),
    },
    paths,
  );
  const { features, cached, encoded, skipped, truncated } = result;
  const width = model.config.projectionDim;
  const bytes = new Uint8Array(features.buffer, features.byteOffset, features.byteLength);
  const shape = [result.paths.length, width];
  const metadata = new Map([
    ['files', JSON.stringify(result.paths)],
    ['normalized', 'false'],
    ['model_sha256', await hash],
    ...(truncated.length > 0 ? [['truncated', JSON.stringify(truncated)] as const] : []),
  ]);
  await createFileAtomically(options.out, (sink) =>
    writeSafetensors([{ name: 'image_features', dtype: 'F32', shape, read: () => bytes }], metadata, sink),
  );
  say(`${counted(encoded, 'image')} encoded, ${cached} from the cache`);
  if (options.json) {
    printJson({ out: options.out, shape, device: device.backend.description, cached, encoded, skipped, truncated });
  } else say(`${options.out}: image_features [${shape.join(', ')}], ${counted(shape[0]!, 'image')}`);
  saySkipped(skipped, truncated);
}
