/** `ptdpc embed`: image features into a file. */
import type { Command } from 'commander';
import { IMAGE_EXTENSIONS } from '../clip/image/formats.js';
import { counted, InputError } from '../errors.js';
import type { PreprocessChoice } from '../ptdpc/options.js';
import { imageJob } from './device.js';
import { addExamples, addJobOptions, type JobOptions, preprocessOption } from './options.js';
import { missing, printJson, say, saySkipped } from './output.js';

interface Options extends JobOptions {
  model?: string;
  encoder?: string;
  preprocess: PreprocessChoice;
  out: string;
}

export function configure(command: Command): void {
  command
    .description(
      'Encode images into a file with the tensor image_features [N, D] in float32, sorted by path. With --model, ' +
        "they are a CLIP's features, projected into the joint space, not normalised; with --encoder, what another frozen " +
        'encoder, or the image tower of a CLIP before its projection, gives: AlexNet, VGG, ResNet, DeiT, BEiT. Metadata lists ' +
        'the N paths as a JSON array under "files", and truncated images that were read also under "truncated". A .npz file has the ' +
        'same as arrays for numpy.load, a .npy the features alone.',
    )
    .argument('<images...>', `image files, or folders of ${IMAGE_EXTENSIONS} files`)
    .option('--model <dir>', 'model directory of a CLIP, for its joint features')
    .option('--encoder <path>', "checkpoint of another encoder, or a CLIP's model directory, for its pooled features")
    .addOption(preprocessOption())
    .requiredOption('--out <file>', 'file to write: .npy or .npz for NumPy, otherwise safetensors');
  addJobOptions(command).action(embed);
  addExamples(command, [
    ['ptdpc embed --model clip-b32 photos/ --out features.safetensors', 'all images below a folder'],
    ['ptdpc embed --encoder encoders/resnet101 photos/ --out resnet101.safetensors', "torchvision's ResNet101"],
    ['ptdpc embed --model clip-b32 photos/ --out features.npz', 'for numpy.load: arrays image_features and files'],
    ['ptdpc embed --model clip-b32 a.jpg b.png --out ab.safetensors --device webgpu', 'two images, on the GPU'],
  ]);
}

async function embed(images: string[], options: Options): Promise<void> {
  const { embedToFile } = await import('../node/encode-splits.js');
  const { model, encoder, preprocess, out, json } = options;
  const path = model ?? encoder;
  if (path === undefined) throw missing('--model <dir>', '--encoder <path>');
  if (model !== undefined && encoder !== undefined)
    throw new InputError('--encoder: not with --model; expected one of them');
  if (encoder === undefined && preprocess === 'clip') throw new InputError('--preprocess clip: only with --encoder');
  const opened = encoder === undefined ? undefined : ({ features: 'pooled', preprocess } as const);
  const result = await embedToFile({ ...imageJob(options), model: path, encoder: opened, images, out });
  const { shape, device, cached, encoded, skipped, truncated } = result;
  say(`${counted(encoded, 'image')} encoded, ${cached} from the cache`);
  if (json) printJson({ out, shape, device, cached, encoded, skipped, truncated });
  else say(`${out}: image_features [${shape.join(', ')}], ${counted(shape[0], 'image')}`);
  saySkipped(skipped, truncated);
}
