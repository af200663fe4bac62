/**
 * One file of the feature cache: features of some images, written once and never changed. A safetensors file with
 *
 *     features   F32 [n, width]
 *     metadata   images: n SHA-256s of image files, one per line; checksum: the SHA-256 of the features' bytes
 */
import { createHash } from 'node:crypto';
import { type Checkpoint, openSafetensors, readFloat32, writeSafetensors } from '../clip/checkpoint/index.js';
import { InputError } from '../errors.js';
import { createFileAtomically } from './atomic.js';
import { openFileSource } from './file-source.js';

/** SHA-256 in hexadecimal. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Writes a segment: `features` [images, width], in the order of `images`. */
export async function writeSegment(path: string, images: readonly string[], features: Float32Array): Promise<void> {
  const bytes = new Uint8Array(features.buffer, features.byteOffset, features.byteLength);
  const shape = [images.length, features.length / images.length];
  const metadata = new Map([
    ['images', images.join('\n')],
    ['checksum', sha256(bytes)],
  ]);
  const entry = { name: 'features', dtype: 'F32', shape, read: () => bytes } as const;
  await createFileAtomically(path, (sink) => writeSafetensors([entry], metadata, sink));
}

/** The images of a segment; reads its header only. Throws InputError if it is not one of features of this width. */
export async function readSegmentImages(path: string, width: number): Promise<string[]> {
  await using source = await openFileSource(path);
  return imagesOf(await openSafetensors(source), width);
}

/** All features of a segment, [images, width]. Throws InputError if they are not what was written. */
export async function readSegmentFeatures(path: string, width: number): Promise<Float32Array> {
  await using source = await openFileSource(path);
  const segment = await openSafetensors(source);
  imagesOf(segment, width);
  const features = await readFloat32(segment, 'features');
  const bytes = new Uint8Array(features.buffer, features.byteOffset, features.byteLength);
  if (segment.metadata.get('checksum') !== sha256(bytes)) {
    throw new InputError(`${path}: the features do not match their checksum`);
  }
  return features;
}

function imagesOf(segment: Checkpoint, width: number): string[] {
  const images = segment.metadata.get('images')?.split('\n') ?? [];
  const [rows, columns, ...rest] = segment.has('features') ? segment.shape('features') : [];
  if (!(rows === images.length && columns === width && rest.length === 0)) {
    throw new InputError(`${segment.name}: expected the features of some images, ${width} numbers each`);
  }
  return images;
}
