/** Files of image features for other programs: safetensors, or NumPy's, by the extension of the name. */
import { extname } from 'node:path';
import { type NpyArray, textArray, writeNpy, writeNpz, writeSafetensors } from '../clip/checkpoint/index.js';
import { createFileAtomically } from './atomic.js';

/** Features with what is to be known of them. */
export interface FeatureFile {
  /** [images, width]. */
  readonly shape: readonly [images: number, width: number];
  /** The features' bytes, float32, row by row. */
  readonly chunks: () => AsyncIterable<Uint8Array>;
  /** Texts and lists of texts by name. */
  readonly facts: Readonly<Record<string, string | readonly string[]>>;
}

/**
 * Writes `image_features` and the facts: as a tensor and metadata (lists as JSON) in safetensors, as arrays in `.npz`. A `.npy` has the features
 * alone.
 */
export async function writeFeatureFile(out: string, { shape, chunks, facts }: FeatureFile): Promise<void> {
  const array: NpyArray = { descr: '<f4', shape, read: chunks };
  await createFileAtomically(out, async (sink) => {
    switch (extname(out).toLowerCase()) {
      case '.npy':
        return await writeNpy(array, sink);
      case '.npz': {
        const texts = Object.entries(facts).map(([name, fact]) => [name, textArray(fact)] as const);
        return await writeNpz({ image_features: array, ...Object.fromEntries(texts) }, sink);
      }
      default: {
        const metadata = Object.entries(facts).map(
          ([name, fact]) => [name, typeof fact === 'string' ? fact : JSON.stringify(fact)] as const,
        );
        const entry = { name: 'image_features', dtype: 'F32', shape, read: chunks } as const;
        return await writeSafetensors([entry], new Map(metadata), sink);
      }
    }
  });
}
