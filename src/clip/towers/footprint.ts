/** A CLIP's memory on a device, computed before any weight is read. */
import type { CanonicalClip } from '../checkpoint/index.js';
import { type ClipConfig, clipTensors } from '../config.js';

/** Bytes of a CLIP's weights on a device. */
export interface ModelFootprint {
  /** Both towers together. */
  readonly bytes: number;
  /** The largest weight, which a device must hold in one buffer. */
  readonly largest: { readonly name: string; readonly bytes: number };
  /** Bytes read from the file to load the towers; the token embedding is not included, since it is read row by row. */
  readonly bytesRead: number;
}

/** Tensors that stay on the host, or are added to another tensor there. */
const ON_HOST =
  /^(?:logit_scale|text_model\.embeddings\.position_embedding\.weight|vision_model\.embeddings\.class_embedding)$/;

/** For layers whose weights are stacked (`WeightLoader.stacked`): the size of the stack, counted at the layer that names it. */
const STACKED: Readonly<Record<string, number>> = { q_proj: 3, k_proj: 0, v_proj: 0 };

/**
 * The memory that `clip` will take. A device that packs halves (`Backend.packsHalves`) keeps the weights of matrix products in half
 * precision if the file does. Weights stored in single precision may take less than computed here, if half precision is exact for them.
 */
export function modelFootprint(clip: CanonicalClip, config: ClipConfig, packsHalves: boolean): ModelFootprint {
  let bytes = 0;
  let bytesRead = 0;
  let largest = { name: '', bytes: 0 };
  for (const { name, shape } of clipTensors(config)) {
    if (name.endsWith('token_embedding.weight')) continue;
    const numbers = shape.reduce((size, axis) => size * axis, 1);
    const half = clip.dtype(name) === 'F16' || clip.dtype(name) === 'BF16';
    bytesRead += numbers * (half ? 2 : 4);
    if (ON_HOST.test(name)) continue;
    const ofProduct = shape.length > 1 && !name.includes('position_embedding');
    // Tensors stored transposed or squeezed are widened when read, and then packed again.
    const own = numbers * (ofProduct && packsHalves && clip.dtype(name) === 'F16' ? 2 : 4);
    bytes += own;
    const layer = /\.(\w+)\.weight$/.exec(name)?.[1] ?? '';
    const whole = own * (STACKED[layer] ?? 1);
    if (whole > largest.bytes) largest = { name, bytes: whole };
  }
  return { bytes, largest, bytesRead };
}
