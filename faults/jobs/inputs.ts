/** Models and images for commands that are to take a few seconds. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClipConfig } from '../../src/clip/config.js';
import { encodePng } from '../../src/clip/image/index.js';
import { ClipTokenizer } from '../../src/clip/tokenizer/index.js';
import { randomClipCheckpoint } from '../../src/node/random-clip.js';
import { writeModelDirectory } from '../../src/node/write-model-directory.js';
import { uniformGenerator } from '../../src/tensor/random.js';

const SHARED = { activation: 'quick_gelu', layerNormEpsilon: 1e-5 } as const;
const IMAGE = { imageSize: 32, patchSize: 8 };

/** 0.4 M weights: quick to compute with. */
export const SMALL: ClipConfig = {
  ...SHARED,
  projectionDim: 64,
  text: { width: 64, layers: 2, heads: 2, intermediate: 128, context: 77, vocabularySize: 514 },
  vision: { ...IMAGE, width: 64, layers: 2, heads: 2, intermediate: 128 },
};

/** 61 M weights, 245 MB: takes time to write. */
export const LARGE: ClipConfig = {
  ...SHARED,
  projectionDim: 512,
  text: { width: 512, layers: 8, heads: 8, intermediate: 2048, context: 77, vocabularySize: 20_000 },
  vision: { ...IMAGE, width: 512, layers: 8, heads: 8, intermediate: 2048 },
};

/** 6 M weights, 25 MB. */
export const MEDIUM: ClipConfig = {
  ...LARGE,
  text: { ...LARGE.text, layers: 1, vocabularySize: 2000 },
  vision: SMALL.vision,
};

export async function makeModel(directory: string, config: ClipConfig, dtype: 'f16' | 'f32' = 'f32'): Promise<void> {
  const checkpoint = randomClipCheckpoint(config, 1);
  const tokenizer = ClipTokenizer.bytesOnly({ vocabularySize: config.text.vocabularySize });
  await writeModelDirectory(directory, { checkpoint, config, tokenizer }, { dtype });
}

const CLASSES = ['awe', 'joy', 'sadness'] as const;

/** Noisy images of 24 x 20 pixels, each class of a colour: `<folder>/<class>/NNN.png`. */
export async function makeImages(folder: string, perClass: number, seed: number): Promise<void> {
  const random = uniformGenerator(seed);
  for (const [channel, name] of CLASSES.entries()) {
    await mkdir(join(folder, name), { recursive: true });
    for (let i = 0; i < perClass; i++) {
      const pixels = Uint8Array.from(
        { length: 24 * 20 * 3 },
        (_, at) => 160 * random() + (at % 3 === channel ? 90 : 0),
      );
      await writeFile(join(folder, name, `${String(i).padStart(3, '0')}.png`), encodePng(pixels, 24, 20));
    }
  }
}
