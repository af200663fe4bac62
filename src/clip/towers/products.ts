/** The matrix products of a model's towers, for tuning: which sizes matter on a device. */
import type { LayerProduct } from '../../kernels/index.js';
import type { ClipConfig, TowerConfig } from '../config.js';

/** Both towers forward, and the text tower backward: gradients go through its frozen weights to the prompts. */
export function layerProducts({ vision, text, projectionDim }: ClipConfig): LayerProduct[] {
  const { patchSize } = vision;
  const visionLayers = [
    ...blockLayers(vision),
    { n: vision.width, k: 3 * patchSize * patchSize },
    { n: projectionDim, k: vision.width },
  ];
  const textLayers = [...blockLayers(text), { n: projectionDim, k: text.width }];
  return [
    ...[...visionLayers, ...textLayers].map((layer) => ({ ...layer, transposeB: true })),
    ...textLayers.map(({ n, k }) => ({ n: k, k: n, transposeB: false })),
  ];
}

function blockLayers({ width, intermediate }: TowerConfig): { n: number; k: number }[] {
  return [
    { n: 3 * width, k: width },
    { n: width, k: width },
    { n: intermediate, k: width },
    { n: width, k: intermediate },
    // The last block's keys and values.
    { n: 2 * width, k: width },
  ];
}
