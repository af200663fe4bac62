/** `ptdpc preprocess`: writes an image as CLIP sees it. */
import { type Command, Option } from 'commander';
import { IMAGE_FORMAT_NAMES } from '../clip/image/formats.js';
import type { Preprocessing, TruncatedImages } from '../clip/image/index.js';
import { InputError } from '../errors.js';
import { addExamples, jsonOption, parseInteger, truncatedOption } from './options.js';
import { printJson, say } from './output.js';

interface Options {
  out: string;
  model?: string;
  size?: number;
  truncated?: TruncatedImages;
  json?: boolean;
}

const SIZE = 224;

export function configure(command: Command): void {
  command
    .description(
      "Write an image as CLIP sees it: the short side resized with Pillow's bicubic filter, cropped to the central square, " +
        "in RGB, byte for byte the original CLIP's pixels before normalisation; with --model, as that model's preprocessing " +
        'says. As in the original, EXIF orientation is not applied.',
    )
    .argument('<image>', `${IMAGE_FORMAT_NAMES} file`)
    .requiredOption('--out <png>', 'PNG file to write')
    .addOption(
      new Option('--size <pixels>', `side of the square (default: ${SIZE}, of ViT-B/32, B/16 and L/14)`)
        .argParser(parseInteger(1, 4096))
        .conflicts('model'),
    )
    .option('--model <dir>', 'model directory')
    .addOption(truncatedOption())
    .addOption(jsonOption())
    .action(preprocess);
  addExamples(command, [
    ['ptdpc preprocess photo.jpg --out seen.png', 'a photo as ViT-B/32 sees it'],
    ['ptdpc preprocess photo.jpg --out seen.png --size 336', 'as ViT-L/14@336px sees it'],
    ['ptdpc preprocess photo.jpg --out seen.png --model clip-laion', 'as this model sees it'],
  ]);
}

async function preprocess(image: string, { out, model, size = SIZE, truncated, json }: Options): Promise<void> {
  const { clipPreprocessing, encodePng } = await import('../clip/image/index.js');
  const { writeFileAtomically } = await import('../node/atomic.js');
  const { cropForClip, readImageFile } = await import('../node/image-files.js');
  const how = model === undefined ? clipPreprocessing(size) : await preprocessingOf(model);
  const seen = await cropForClip(await readImageFile(image), image, how, truncated);
  await writeFileAtomically(out, encodePng(seen.pixels, how.size, how.size));
  if (json) printJson({ image, out, size: how.size, preprocessing: how, truncated: seen.truncated });
  else say(`${out}: ${how.size} x ${how.size} pixels${seen.truncated ? ', of a truncated image' : ''}`);
}

async function preprocessingOf(model: string): Promise<Preprocessing> {
  const { readDescription } = await import('../node/checkpoint-files.js');
  const description = await readDescription(model);
  if (description) return description.preprocessing;
  throw new InputError(`${model}: not a model directory, it has no config.json`);
}
