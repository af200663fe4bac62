/**
 * CLIP with learned tokens in its image tower: VPT and MaPLe. Both towers are frozen; a gradient reaches the tokens through the layers of the image
 * tower, and MaPLe's also through those of the text tower.
 *
 *     f       = image tower(pixels; learned tokens)
 *     logit i = logitScale cos(f, text i)
 */
import { type Preprocessing, pixelValues } from '../../clip/image/index.js';
import type { TowerPrompts, VisionTower } from '../../clip/towers/index.js';
import type { ImageOptions } from '../../learners/images/index.js';
import { type Engine, normalizeRows, type Tensor } from '../../tensor/index.js';
import { LearnedModel } from '../learned-numbers.js';
import { learnedShapes, type TowerWidths, towerPrompts } from './learned.js';
import type { ClassTexts } from './texts.js';

/** Tensors of these learned numbers, in the order of `learnedShapes`. The caller frees them. */
export function learnedParameters(
  engine: Engine,
  options: ImageOptions,
  widths: TowerWidths,
  learned: readonly Float32Array[],
): Tensor[] {
  return learnedShapes(options, widths).map(([, shape], i) => engine.parameter(learned[i]!, shape));
}

/** Learned tokens with their towers. */
export class ImagePromptModel extends LearnedModel implements Disposable {
  readonly engine: Engine;

  /** Takes the parameters, but not tower and texts. `pictures` says how pixels were prepared. */
  constructor(
    readonly vision: VisionTower,
    readonly texts: ClassTexts,
    readonly options: ImageOptions,
    readonly parameters: readonly Tensor[],
    readonly logitScale: number,
    readonly pictures: Preprocessing,
  ) {
    super();
    this.engine = vision.engine;
  }

  get classes(): number {
    return this.texts.classes;
  }

  /** Width of the space that images and texts share. */
  get joint(): number {
    return this.vision.config.projectionDim ?? 0;
  }

  /** Learned rows among those of an image. */
  get tokens(): number {
    return this.options.learner === 'vpt' ? this.options.tokens : this.options.context;
  }

  /** The tokens of the image tower, for a forward pass. */
  prompts(): TowerPrompts {
    return towerPrompts(this.options, this.parameters);
  }

  /** Normalised features [images, joint] of images [size, size] from `modelPixels`. */
  features(images: readonly Int32Array[]): Tensor {
    const { engine, pictures, vision } = this;
    return engine.scope(() => normalizeRows(encodePrompted(vision, images, pictures, this.prompts())));
  }

  /** Frees the parameters. */
  [Symbol.dispose](): void {
    this.zeroGrad();
    for (const parameter of this.parameters) parameter.dispose();
  }
}

/** Features [images, joint], not normalised, of images [size, size] from `modelPixels`. */
function encodePrompted(
  vision: VisionTower,
  images: readonly Int32Array[],
  pictures: Preprocessing,
  prompts: TowerPrompts,
): Tensor {
  const { engine } = vision;
  const { size } = pictures;
  const all = new Int32Array(images.length * size * size);
  for (const [row, image] of images.entries()) all.set(image, row * size * size);
  const pixels = engine.indices(all, [images.length, size, size]);
  return vision.encode(pixels, engine.tensor(pixelValues(pictures), [3, 256]), prompts).features;
}
