/** `ptdpc embed`: image features into a safetensors file. */
import type { Command } from 'commander';
import { IMAGE_EXTENSIONS } from '../clip/image/formats.js';
import { counted } from '../errors.js';
import { imageJob } from './device.js';
import { addExamples, addJobOptions, type JobOptions, modelOption } from './options.js';
import { printJson, say, saySkipped } from './output.js';

interface Options extends JobOptions {
  model: string;
  out: string;
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
    .requiredOption('--out <file>', 'safetensors file to write');
  addJobOptions(command).action(embed);
  addExamples(command, [
    ['ptdpc embed --model clip-b32 photos/ --out features.safetensors', 'all images below a folder'],
    ['ptdpc embed --model clip-b32 a.jpg b.png --out ab.safetensors --device webgpu', 'two images, on the GPU'],
  ]);
}

async function embed(images: string[], options: Options): Promise<void> {
  const { embedToFile } = await import('../node/encode-splits.js');
  const { model, out, json } = options;
  const result = await embedToFile({ ...imageJob(options), model, images, out });
  const { shape, device, cached, encoded, skipped, truncated } = result;
  say(`${counted(encoded, 'image')} encoded, ${cached} from the cache`);
  if (json) printJson({ out, shape, device, cached, encoded, skipped, truncated });
  else say(`${out}: image_features [${shape.join(', ')}], ${counted(shape[0], 'image')}`);
  saySkipped(skipped, truncated);
}
