/**
 * Vision transformers (Dosovitskiy et al., 2021) as encoders: those with timm's names, such as DeiT (Touvron et al., 2021), and the image
 * tower of a CLIP. The tower itself is in src/clip/towers.
 */
import { readVit, type VisionConfig, visionRows } from '../clip/config.js';
import { clipPreprocessing, imageNetPreprocessing } from '../clip/image/index.js';
import { largestWeightBytes, VisionTower } from '../clip/towers/index.js';
import { MIX_NUMBERS } from '../clip/towers/tower-prompts.js';
import { type EncoderFamily, pixelBytes } from './encoder.js';

/** Working memory of one image in a forward pass, in bytes, with so many learned rows beside its own. */
export function visionBytesPerImage(config: VisionConfig, prompts = 0): number {
  const { width, intermediate, heads, imageSize } = config;
  // Peak of a block: the MLP's hidden layer, queries, keys, values, residual and a few more rows; two more, and where they come from, with learned rows.
  const numbersPerRow = intermediate + 8 * width + heads + (prompts > 0 ? 2 * width + 2 * MIX_NUMBERS : 0);
  // Besides pixels, the batch's patches.
  return 4 * ((visionRows(config) + prompts) * numbersPerRow + 3 * imageSize * imageSize) + pixelBytes(imageSize);
}

/** A CLIP's checkpoint holds two towers, so a model directory is read as a whole (`clipEncoder`) and not recognised here. */
export const VISION_TRANSFORMER: EncoderFamily<VisionConfig> = {
  name: 'a vision transformer',
  // The one that the paper compares; its tensors do not tell it from others of timm's.
  architecture: ({ kind }) => (kind === 'clip' ? 'CLIP-ViT' : 'DeiT'),
  recognises: (names) => ['cls_token', 'pos_embed'].every((part) => names.some((name) => name.endsWith(part))),
  read: (checkpoint) => {
    const { vit, config } = readVit(checkpoint);
    return { config, weights: vit };
  },
  load: (engine, weights, config) => VisionTower.loadVision(engine, weights, config),
  preprocessing: ({ kind, imageSize }) =>
    kind === 'clip' ? clipPreprocessing(imageSize) : imageNetPreprocessing(imageSize),
  bytesPerImage: (config) => visionBytesPerImage(config),
  largestWeightBytes,
};
