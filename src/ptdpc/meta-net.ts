/**
 * The network of CoCoOp (Zhou et al., CVPR 2022, section 3.2): from an image's feature f to a vector that is added to every learned token,
 *
 *     pi = W2 relu(W1 f + b1) + b2
 */
import { META_NET } from '../learners/prompts/cocoop.js';
import { type Engine, linear, type Tensor } from '../tensor/index.js';
import { uniformGenerator } from '../tensor/random.js';

/**
 * Its parameters on a device, in the order of `META_NET`, for features of width `joint` and tokens of width `width`: drawn by `seed` as PyTorch's
 * `nn.Linear` draws them, uniform up to 1 / sqrt(inputs).
 */
export function newMetaNet(engine: Engine, joint: number, hidden: number, width: number, seed: number): Tensor[] {
  const uniform = uniformGenerator(seed);
  const shapes = [[hidden, joint], [hidden], [width, hidden], [width]];
  return META_NET.map((name, i) => {
    const bound = 1 / Math.sqrt(name.includes('linear1') ? joint : hidden);
    const shape = shapes[i] ?? [];
    const size = shape.reduce((product, length) => product * length, 1);
    return engine.parameter(
      Float32Array.from({ length: size }, () => bound * (2 * uniform() - 1)),
      shape,
    );
  });
}

/** pi of each image, [batch, width], for features [batch, joint]. */
export function metaNetOutput([weight1, bias1, weight2, bias2]: readonly Tensor[], features: Tensor): Tensor {
  return linear(linear(features, weight1!, bias1, { relu: true }), weight2!, bias2);
}
