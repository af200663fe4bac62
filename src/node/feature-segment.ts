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
import { openFileSource, readAt, stampAt } from './file-source.js';

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

/** A segment that was read as a whole and found to be what was written: where its rows lie, and in which file. */
export interface VerifiedSegment {
  /** [images, width] */
  readonly features: Float32Array;
  readonly rows: SegmentRows;
}

/** The place of the features in a file, which is this very one as long as it has this stamp. */
export interface SegmentRows {
  readonly offset: number;
  readonly stamp: string;
}

/** All features of a segment. Throws InputError if they are not what was written. */
export async function readSegmentFeatures(path: string, width: number): Promise<VerifiedSegment> {
  // Before it is read: what is in its place later has another stamp.
  const stamp = await stampAt(path);
  await using source = await openFileSource(path);
  const segment = await openSafetensors(source);
  imagesOf(segment, width);
  const features = await readFloat32(segment, 'features');
  const bytes = new Uint8Array(features.buffer, features.byteOffset, features.byteLength);
  if (segment.metadata.get('checksum') !== sha256(bytes)) {
    throw new InputError(`${path}: the features do not match their checksum`);
  }
  return { features, rows: { offset: source.size - bytes.length, stamp } };
}

/** One row of a segment that was verified before; undefined if the file is no longer the one that was. */
export function readSegmentRow(
  path: string,
  { offset, stamp }: SegmentRows,
  row: number,
  width: number,
): Float32Array | undefined {
  const feature = new Float32Array(width);
  const bytes = new Uint8Array(feature.buffer);
  return readAt(path, stamp, offset + row * bytes.length, bytes) ? feature : undefined;
}

function imagesOf(segment: Checkpoint, width: number): string[] {
  const images = segment.metadata.get('images')?.split('\n') ?? [];
  const [rows, columns, ...rest] = segment.has('features') ? segment.shape('features') : [];
  const isAlone = segment.names().length === 1;
  if (!(isAlone && rows === images.length && columns === width && rest.length === 0)) {
    throw new InputError(`${segment.name}: expected the features of some images, ${width} numbers each`);
  }
  return images;
}
