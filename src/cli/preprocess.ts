/** `ptdpc preprocess`: what CLIP sees of an image, as a picture. */
import type { Command } from 'commander';
import { encodePng, IMAGE_FORMAT_NAMES } from '../clip/image/index.js';
import { writeFileAtomically } from '../node/atomic.js';
import { cropForClip, readImageFile } from '../node/image-files.js';
import { addExamples, jsonOption, parseInteger } from './options.js';
import { printJson, say } from './output.js';

interface Options {
  out: string;
  size: number;
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .description(
      "Write what CLIP sees of an image: the short side resized with Pillow's bicubic filter, the middle cropped " +
        "to a square, in RGB; byte for byte the original CLIP's pixels before normalisation. EXIF orientation is " +
        'not applied, as there.',
    )
    .argument('<image>', `${IMAGE_FORMAT_NAMES} file`)
    .requiredOption('--out <png>', 'PNG file to write')
    .option('--size <pixels>', 'side of the square; 224 for ViT-B/32, B/16 and L/14', parseInteger(1, 4096), 224)
    .addOption(jsonOption())
    .action(preprocess);
  addExamples(command, [
    ['ptdpc preprocess photo.jpg --out seen.png', 'a photo as ViT-B/32 sees it'],
    ['ptdpc preprocess photo.jpg --out seen.png --size 336', 'as ViT-L/14@336px sees it'],
  ]);
}

async function preprocess(image: string, { out, size, json }: Options): Promise<void> {
  const rgb = await cropForClip(await readImageFile(image), image, size);
  await writeFileAtomically(out, encodePng(rgb, size, size));
  if (json) printJson({ image, out, size });
  else say(`${out}: ${size} x ${size} pixels`);
}
