/**
 * Reader for PyTorch's files since 1.6 (torch/serialization.py, and caffe2/serialize/inline_container.h for the archive):
 *
 *     <root>/data.pkl       a pickle: a state_dict, a checkpoint around one, or a TorchScript module tree
 *     <root>/data/<key>     one storage each, raw little-endian elements
 *     <root>/byteorder      "little" or "big", since 2.1
 *     <root>/constants.pkl, <root>/code/   only in TorchScript archives, such as those published by OpenAI
 *
 * A module tree is flattened to the dotted names of its state_dict; `state-dict` finds a state_dict in a training checkpoint. Nothing
 * in the pickle is executed.
 */
import { InputError } from '../../errors.js';
import type { ByteSource } from './byte-source.js';
import { type Checkpoint, type CheckpointFormat, requireTensor } from './checkpoint.js';
import { MAX_PICKLE_BYTES, unpickle } from './pickle.js';
import { PickleRecord, type PickleValue } from './pickle-reader.js';
import { quoted } from './quoted.js';
import { stateDictOf } from './state-dict.js';
import { readStrided } from './strided-tensor.js';
import { TorchTensor, torchPickleHost } from './torch-pickle.js';
import { openZip, type ZipArchive } from './zip.js';

const MAX_TENSORS = 100_000;
const MAX_DEPTH = 64;
const MAX_NAME_LENGTH = 1024;

/** Opens a file written by `torch.save` (1.6 or later) or a TorchScript archive. Throws `InputError` for others. */
export async function openTorch(source: ByteSource): Promise<Checkpoint> {
  const { name } = source;
  const archive = await openZip(source);
  const root = findRoot(archive);
  await refuseBigEndian(archive, root);
  const pickle = `${root}/data.pkl`;
  if (archive.size(pickle) > MAX_PICKLE_BYTES) {
    throw new InputError(
      `${name}: ${quoted(pickle)} has ${archive.size(pickle)} bytes, over the limit of ${MAX_PICKLE_BYTES}`,
    );
  }
  const value = unpickle(await archive.read(pickle), torchPickleHost(name), name);
  const { format, tensors } = collectTensors(value, name);
  for (const [tensorName, { storage }] of tensors) {
    const entry = `${root}/data/${storage.key}`;
    if (!archive.has(entry))
      throw new InputError(`${name}: the data of tensor ${quoted(tensorName)} is missing (${quoted(entry)})`);
    if (storage.size > archive.size(entry)) {
      throw new InputError(
        `${name}: tensor ${quoted(tensorName)} needs ${storage.size} bytes, ${quoted(entry)} has ${archive.size(entry)}`,
      );
    }
  }
  const find = (tensorName: string): TorchTensor => requireTensor(tensors, tensorName, name);
  return {
    name,
    format,
    metadata: plainValues(value),
    names: () => [...tensors.keys()],
    has: (tensorName) => tensors.has(tensorName),
    shape: (tensorName) => find(tensorName).shape,
    dtype: (tensorName) => find(tensorName).dtype,
    read: async (tensorName, rows, halves) => {
      const tensor = find(tensorName);
      const readStorage = (offset: number, length: number) =>
        archive.read(`${root}/data/${tensor.storage.key}`, offset, length);
      return readStrided(tensor, readStorage, `${name}: tensor ${quoted(tensorName)}`, rows, halves);
    },
  };
}

/** The archive's top-level folder, which torch names after the file. */
function findRoot(archive: ZipArchive): string {
  const roots = archive.names().filter((entry) => /^[^/]+\/data\.pkl$/.test(entry));
  if (roots.length !== 1) {
    throw new InputError(
      `${archive.name}: a PyTorch archive has one <name>/data.pkl, this ZIP archive has ${roots.length}`,
    );
  }
  return roots[0]!.slice(0, -'/data.pkl'.length);
}

async function refuseBigEndian(archive: ZipArchive, root: string): Promise<void> {
  const entry = `${root}/byteorder`;
  if (!archive.has(entry)) return;
  const order = new TextDecoder().decode(await archive.read(entry, 0, Math.min(archive.size(entry), 16)));
  if (order !== 'little') {
    throw new InputError(
      `${archive.name}: byte order ${quoted(order)} is not supported; save it again on a little-endian machine`,
    );
  }
}

/** Numbers and texts that a training program saved beside a state_dict, as text. */
function plainValues(value: PickleValue): Map<string, string> {
  const found = new Map<string, string>();
  if (!(value instanceof Map)) return found;
  for (const [key, item] of value)
    if (typeof key === 'string' && (typeof item === 'number' || typeof item === 'string')) found.set(key, String(item));
  return found;
}

function collectTensors(
  value: PickleValue,
  name: string,
): { format: CheckpointFormat; tensors: Map<string, TorchTensor> } {
  const tensors = new Map<string, TorchTensor>();
  if (value instanceof PickleRecord) {
    flattenModule(value, '', 0, { steps: 0 }, tensors, name);
    return { format: 'torchscript', tensors };
  }
  for (const [key, tensor] of stateDictOf(value, name)) addTensor(tensors, key, tensor, name);
  return { format: 'torch', tensors };
}

/**
 * Adds a module's tensors under `prefix`, then those of its children. A module that occurs twice is listed twice, as in
 * a state_dict; `budget` bounds the expansion of modules that a pickle's memo shares.
 */
function flattenModule(
  module: PickleRecord,
  prefix: string,
  depth: number,
  budget: { steps: number },
  tensors: Map<string, TorchTensor>,
  name: string,
): void {
  if (depth > MAX_DEPTH) throw new InputError(`${name}: its modules are nested more than ${MAX_DEPTH} deep`);
  if (!(module.state instanceof Map)) return;
  for (const [key, item] of module.state) {
    if (++budget.steps > 10 * MAX_TENSORS) throw new InputError(`${name}: its module tree is impossibly large`);
    if (typeof key !== 'string') continue;
    if (item instanceof TorchTensor) addTensor(tensors, prefix + key, item, name);
    else if (item instanceof PickleRecord && prefix.length + key.length < MAX_NAME_LENGTH) {
      flattenModule(item, `${prefix}${key}.`, depth + 1, budget, tensors, name);
    }
  }
}

function addTensor(tensors: Map<string, TorchTensor>, tensorName: string, tensor: TorchTensor, name: string): void {
  if (tensorName.length > MAX_NAME_LENGTH)
    throw new InputError(`${name}: tensor name ${quoted(tensorName)} is too long`);
  if (tensors.size >= MAX_TENSORS) throw new InputError(`${name}: it has more than ${MAX_TENSORS} tensors`);
  tensors.set(tensorName, tensor);
}
