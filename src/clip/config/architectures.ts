/** Sizes of published models, for use without a checkpoint. */
import type { ClipConfig } from './clip-config.js';

const SHARED = { activation: 'quick_gelu', layerNormEpsilon: 1e-5 } as const;
const VIT_B = { width: 768, layers: 12, heads: 12, intermediate: 3072, imageSize: 224 };
const TEXT_B = { width: 512, layers: 12, heads: 8, intermediate: 2048, context: 77, vocabularySize: 49_408 };

/** OpenAI's published sizes (Radford et al., 2021, table 20). */
export const ARCHITECTURES: ReadonlyMap<string, ClipConfig> = new Map<string, ClipConfig>([
  ['ViT-B/32', { ...SHARED, projectionDim: 512, text: TEXT_B, vision: { ...VIT_B, patchSize: 32 } }],
  ['ViT-B/16', { ...SHARED, projectionDim: 512, text: TEXT_B, vision: { ...VIT_B, patchSize: 16 } }],
  [
    'ViT-L/14',
    {
      ...SHARED,
      projectionDim: 768,
      text: { ...TEXT_B, width: 768, heads: 12, intermediate: 3072 },
      vision: { width: 1024, layers: 24, heads: 16, intermediate: 4096, imageSize: 224, patchSize: 14 },
    },
  ],
]);
