/** What a CLIP takes on a device, worked out before a weight is read. */
import type { CanonicalClip } from '../checkpoint/index.js';
import { type ClipConfig, clipTensors } from '../config.js';

/** Bytes of a CLIP's weights on a device. */
export interface ModelFootprint {
  /** Of both towers together. */
  readonly bytes: number;
  /** The largest of them, which a device must hold in one piece. */
  readonly largest: { readonly name: string; readonly bytes: number };
  /** Of the file's tensors that the towers are loaded from; the table of tokens is read row by row instead. */
  readonly bytesRead: number;
}

/** They stay on the host, or are added to another tensor there. */
const ON_HOST =
  /^(?:logit_scale|text_model\.embeddings\.position_embedding\.weight|vision_model\.embeddings\.class_embedding)$/;

/** Of the layers whose weights are stored side by side (`WeightLoader.stacked`), the one after which the whole is called. */
const STACKED: Readonly<Record<string, number>> = { q_proj: 3, k_proj: 0, v_proj: 0 };

/**
 * What `clip` will take. A device that packs halves (`Backend.packsHalves`) keeps weights of products in half precision if the file
 * does; those that a file stores in single precision may take less than this, if no number needs more.
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
    // What is stored turned or squeezed is widened when it is read, and packed again as a whole.
    const own = numbers * (ofProduct && packsHalves && clip.dtype(name) === 'F16' ? 2 : 4);
    bytes += own;
    const layer = /\.(\w+)\.weight$/.exec(name)?.[1] ?? '';
    const whole = own * (STACKED[layer] ?? 1);
    if (whole > largest.bytes) largest = { name, bytes: whole };
  }
  return { bytes, largest, bytesRead };
}
