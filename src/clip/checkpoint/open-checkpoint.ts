/** Opens a checkpoint in any supported format. The format is detected by content, since file extensions vary. */
import { InputError } from '../../errors.js';
import { decodeText } from '../text-file.js';
import type { ByteSource } from './byte-source.js';
import type { Checkpoint } from './checkpoint.js';
import { openSafetensors } from './safetensors.js';
import { joinShards, parseShardIndex } from './shards.js';
import { openTorch } from './torch.js';

type FileKind = 'safetensors' | 'zip' | 'json';

const MAX_INDEX_BYTES = 16 * 2 ** 20;
/** Enough for every signature; tar's is at byte 257. */
const SNIFF_BYTES = 512;

/**
 * Opens one file, or the shards of one checkpoint with or without their index file. The caller closes the sources, which
 * must stay open while tensors are read. Throws `InputError` for an unsupported format, with advice on converting it if
 * it is a known one.
 */
export async function openCheckpoint(sources: ByteSource | readonly ByteSource[]): Promise<Checkpoint> {
  const list = 'read' in sources ? [sources] : sources;
  const shards: Checkpoint[] = [];
  let index: ByteSource | undefined;
  for (const source of list) {
    const kind = await sniff(source);
    if (kind === 'safetensors') shards.push(await openSafetensors(source));
    else if (kind === 'zip') shards.push(await openTorch(source));
    else if (index) throw new InputError(`${source.name}: a second checkpoint index, in addition to ${index.name}`);
    else index = source;
  }
  if (index) return joinShards(shards, index.name, parseShardIndex(await readText(index), index.name));
  const [only] = shards;
  if (!only) throw new InputError('no checkpoint file was given');
  return shards.length === 1 ? only : joinShards(shards, only.name);
}

async function sniff(source: ByteSource): Promise<FileKind> {
  const { name } = source;
  const bytes = await source.read(0, Math.min(source.size, SNIFF_BYTES));
  const text = String.fromCharCode(...bytes);
  if (bytes.length === 0) throw new InputError(`${name}: the file is empty`);
  // safetensors: the header is at most 100 MB, so the upper half of its 64-bit length is zero, and it begins with a brace.
  if (text.slice(4, 9) === '\0\0\0\0{') return 'safetensors';
  if (text.startsWith('PK\x03\x04') || text.startsWith('PK\x05\x06')) {
    // NumPy's .npz is a ZIP archive too, recognised by its first entry.
    if (/^[^\0/]*\.npy/.test(text.slice(30))) throw foreign(name, "NumPy's .npz");
    return 'zip';
  }
  if (/^\s*\{/.test(text)) return 'json';
  // torch.save before 1.6 wrote a bare pickle, and before that a tar archive with a pickle in it.
  const barePickle = bytes[0] === 0x80 && bytes[1]! >= 2 && bytes[1]! <= 5;
  if (barePickle || text.slice(257, 262) === 'ustar') {
    throw new InputError(
      `${name}: saved by PyTorch before 1.6 (not a ZIP archive); with torch 1.6 or later: torch.save(torch.load("${name}", map_location="cpu"), "new.pt")`,
    );
  }
  if (text.startsWith('version https://git-lfs')) {
    throw new InputError(`${name}: a Git LFS pointer, not the checkpoint itself; fetch it with git lfs pull`);
  }
  if (/^\s*<(?:!doctype|html|\?xml)/i.test(text)) {
    throw new InputError(
      `${name}: a web page, not a checkpoint (failed download?); ptdpc fetch verifies its downloads`,
    );
  }
  if (text.startsWith('\x89HDF\r\n')) throw foreign(name, "TensorFlow's HDF5 (tf_model.h5)");
  if (text.startsWith('\x93NUMPY')) throw foreign(name, "NumPy's .npy");
  // flax.serialization writes a MessagePack map whose first key is text.
  if (/^(?:[\x81-\x8f]|\xde..|\xdf....)(?:[\xa1-\xbf]|\xd9.)[\w.]/s.test(text)) {
    throw foreign(name, "Flax's MessagePack (flax_model.msgpack)");
  }
  throw new InputError(`${name}: not a checkpoint: expected safetensors, a PyTorch file (1.6 or later) or TorchScript`);
}

/** The error for another framework's format. The hub usually has the same model in a supported one. */
function foreign(name: string, format: string): InputError {
  return new InputError(
    `${name}: ${format} is not supported; use the model's model.safetensors or pytorch_model.bin, or load it in transformers and save it with save_pretrained()`,
  );
}

async function readText(source: ByteSource): Promise<string> {
  if (source.size > MAX_INDEX_BYTES) {
    throw new InputError(`${source.name}: an index of ${source.size} bytes is over the limit of ${MAX_INDEX_BYTES}`);
  }
  return decodeText(await source.read(0, source.size), source.name);
}
