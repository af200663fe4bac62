/**
 * Writer for NumPy's files: `.npy`, one array (NEP 1: numpy.org/neps/nep-0001-npy-format.html, version 1.0), and `.npz`, a ZIP archive of
 * them, as `numpy.load` reads them without pickles. Arrays are written in parts, so that none need be in memory.
 */
import { Zip, ZipPassThrough } from 'fflate';
import { InputError } from '../../errors.js';
import { elementCount } from './dtype.js';
import type { ByteSink } from './safetensors-writer.js';

/** An array to write, in row-major order, little-endian. */
export interface NpyArray {
  /** NumPy's name of the type: `<f4`, `<i4`, `<U12`. */
  readonly descr: string;
  readonly shape: readonly number[];
  /** Returns its bytes, at once or in parts. Called once. */
  read(): Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** Magic number, version, and the length of the header's text. */
const PREFIX_BYTES = 10;
/** What the data is aligned to. */
const ALIGNMENT = 64;

function npyHeader({ descr, shape }: NpyArray): Uint8Array {
  // As Python writes a tuple.
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const length = Math.ceil((PREFIX_BYTES + text.length + 1) / ALIGNMENT) * ALIGNMENT - PREFIX_BYTES;
  const header = new Uint8Array(PREFIX_BYTES + length);
  header.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, length & 0xff, length >> 8]);
  header.set(new TextEncoder().encode(`${text.padEnd(length - 1)}\n`), PREFIX_BYTES);
  return header;
}

/** Writes one array as a `.npy` file. */
export async function writeNpy(array: NpyArray, sink: ByteSink): Promise<void> {
  await sink(npyHeader(array));
  let length = 0;
  const bytes = array.read();
  for await (const part of bytes instanceof Uint8Array ? [bytes] : bytes) {
    length += part.length;
    await sink(part);
  }
  if (length !== byteLength(array))
    throw new Error(`an array ${array.descr} [${array.shape.join(', ')}] was given ${length} bytes`);
}

/** A ZIP archive without its 64-bit extension is no larger; names and headers take little. */
const MOST_BYTES = 2 ** 32 - 2 ** 24;

/**
 * Writes arrays by name as an uncompressed `.npz` file, the same one for the same arrays. Throws InputError if they take more than 4 GiB.
 */
export async function writeNpz(arrays: Readonly<Record<string, NpyArray>>, sink: ByteSink): Promise<void> {
  const total = Object.values(arrays).reduce((sum, array) => sum + byteLength(array), 0);
  if (total > MOST_BYTES)
    throw new InputError(`.npz: ${total} bytes are more than a ZIP archive holds; use .npy or .safetensors`);
  let written: Uint8Array[] = [];
  const flush = async () => {
    const chunks = written;
    written = [];
    for (const chunk of chunks) await sink(chunk);
  };
  const archive = new Zip((error, chunk) => {
    if (error) throw error;
    written.push(chunk);
  });
  for (const [name, array] of Object.entries(arrays)) {
    const file = new ZipPassThrough(`${name}.npy`);
    // The earliest of a ZIP archive: a file's time is not its content's.
    file.mtime = new Date(1980, 0, 1);
    archive.add(file);
    await writeNpy(array, async (part) => {
      file.push(part);
      await flush();
    });
    file.push(new Uint8Array(0), true);
  }
  archive.end();
  await flush();
}

/** An array of 32-bit floating-point or whole numbers. */
export function numberArray(data: Float32Array | Int32Array, shape: readonly number[]): NpyArray {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { descr: data instanceof Float32Array ? '<f4' : '<i4', shape, read: () => bytes };
}

/** An array of texts [texts], or of one text without axes; NumPy keeps them all as long as the longest. */
export function textArray(texts: string | readonly string[]): NpyArray {
  const all = typeof texts === 'string' ? [texts] : texts;
  const length = all.reduce((most, text) => Math.max(most, [...text].length), 1);
  return {
    descr: `<U${length}`,
    shape: typeof texts === 'string' ? [] : [all.length],
    *read() {
      for (const text of all) {
        const row = new DataView(new ArrayBuffer(4 * length));
        let at = 0;
        for (const character of text) row.setUint32(4 * at++, character.codePointAt(0)!, true);
        yield new Uint8Array(row.buffer);
      }
    },
  };
}

function byteLength({ descr, shape }: NpyArray): number {
  const item = descr.startsWith('<U') ? 4 * Number(descr.slice(2)) : Number(descr.slice(2));
  return elementCount(shape, 'array') * item;
}
