/**
 * Finds the state_dict in a file saved by a training program: the top-level dictionary, or one inside it next to optimizers, options,
 * schedulers and so on. Python objects are represented by `PickleOpaque`; a tensor inside one could only be extracted by its code.
 */
import { InputError } from '../../errors.js';
import { PickleOpaque, type PickleValue } from './pickle-reader.js';
import { quoted } from './quoted.js';
import { TorchData, TorchStorage, TorchTensor } from './torch-pickle.js';

/** Keys under which training programs save the state_dict, in search order. */
const WRAPPERS = ['state_dict', 'model_state_dict', 'model', 'module'];
/** Depth to which nested dictionaries are searched. */
const MAX_NESTING = 8;

type Dictionary = ReadonlyMap<PickleValue, PickleValue>;

/**
 * The tensors of the state_dict in `value`, by name. Throws InputError, with advice on how to save the file again, if the model is a
 * Python object, if a tensor is inside one, and if two dictionaries could be the model's.
 */
export function stateDictOf(value: PickleValue, name: string): Map<string, TorchTensor> {
  if (value instanceof PickleOpaque) throw wholeObject(name, value, '');
  if (!(value instanceof Map))
    throw new InputError(`${name}: expected a state_dict, found something that is not a dictionary`);
  const { dictionary, path } = findDictionary(value, name);
  const tensors = new Map<string, TorchTensor>();
  const plain = tensorsIn(dictionary);
  const seen = new Set<PickleValue>();
  for (const [key, item] of dictionary) {
    if (typeof key !== 'string') continue;
    if (item instanceof TorchTensor) tensors.set(key, item);
    else if (item instanceof PickleOpaque && (plain === 0 || isTensor(key, item)) && holdsData(item, seen)) {
      if (!isTensor(key, item)) throw wholeObject(name, item, subscripts([...path, key]));
      throw new InputError(
        `${name}: tensor ${quoted(key)} is made by ${quoted(item.madeBy)}, which is not run here; save it as a plain tensor, in Python: ` +
          `d = torch.load(${quoted(name)}, map_location="cpu")${subscripts(path)}; torch.save({k: torch.tensor(v.detach().float().numpy()) ` +
          `for k, v in d.items() if torch.is_tensor(v)}, "new.pt")`,
      );
    }
  }
  const [array] = tensors.size === 0 ? [...dictionary.values()].filter((item) => item instanceof PickleOpaque) : [];
  if (array) {
    throw new InputError(
      `${name}: contains no tensors, but objects made by ${quoted(array.madeBy)}, which is not run here; save tensors instead: NumPy arrays ` +
        'with torch.from_numpy, a module with state_dict()',
    );
  }
  return tensors;
}

/** The dictionary under the usual keys, else the nested one with the most tensors. */
function findDictionary(top: Dictionary, name: string): { dictionary: Dictionary; path: readonly string[] } {
  let dictionary = top;
  const path: string[] = [];
  while (path.length < MAX_NESTING) {
    const key = WRAPPERS.find((wrapper) => dictionary.get(wrapper) instanceof Map);
    if (key === undefined) break;
    dictionary = dictionary.get(key) as Dictionary;
    path.push(key);
  }
  if (tensorsIn(dictionary) > 0) return { dictionary, path };
  const candidates = dictionariesBelow(top);
  const most = Math.max(0, ...candidates.map(({ tensors }) => tensors));
  const [best, other] = candidates.filter(({ tensors }) => tensors === most);
  if (!best) return { dictionary, path };
  if (!other) return best;
  throw new InputError(
    `${name}: as many tensors in ${subscripts(best.path) || 'the file itself'} as in ${subscripts(other.path)}; keep the model's, in Python: ` +
      `torch.save(torch.load(${quoted(name)}, map_location="cpu")${subscripts(best.path)}, "new.pt")`,
  );
}

/** A dictionary that may be the state_dict. */
interface Candidate {
  readonly dictionary: Dictionary;
  readonly path: readonly string[];
  /** Number of tensors directly in the dictionary. */
  readonly tensors: number;
}

/** All nested dictionaries with tensors, each once even if the pickle refers to it repeatedly. */
function dictionariesBelow(top: Dictionary): Candidate[] {
  const candidates: Candidate[] = [];
  const seen = new Set<Dictionary>([top]);
  let level: { dictionary: Dictionary; path: readonly string[] }[] = [{ dictionary: top, path: [] }];
  for (let depth = 0; depth <= MAX_NESTING && level.length > 0; depth++) {
    const next: typeof level = [];
    for (const { dictionary, path } of level) {
      const tensors = tensorsIn(dictionary);
      if (tensors > 0) candidates.push({ dictionary, path, tensors });
      for (const [key, item] of dictionary) {
        if (typeof key !== 'string' || !(item instanceof Map) || seen.has(item)) continue;
        seen.add(item);
        next.push({ dictionary: item, path: [...path, key] });
      }
    }
    level = next;
  }
  return candidates;
}

/** Recognises a tensor by a parameter's dotted name, by a PyTorch function that rebuilds tensors, or by its data; excludes e.g. a scheduler. */
function isTensor(key: string, { madeBy, parts }: PickleOpaque): boolean {
  return (
    key.includes('.') || /^torch\._(?:utils|tensor)\./.test(madeBy) || parts.some((part) => part instanceof TorchData)
  );
}

function tensorsIn(dictionary: Dictionary): number {
  let count = 0;
  for (const [key, item] of dictionary) if (typeof key === 'string' && item instanceof TorchTensor) count++;
  return count;
}

/** Whether an object contains tensor data at any depth. `seen` collects values already searched without success. */
function holdsData(object: PickleOpaque, seen: Set<PickleValue>): boolean {
  const waiting: PickleValue[] = [object];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (value instanceof TorchTensor || value instanceof TorchStorage || value instanceof TorchData) return true;
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    if (value instanceof PickleOpaque) for (const part of value.parts) waiting.push(part);
    else if (Array.isArray(value) || value instanceof Set) for (const item of value) waiting.push(item);
    else if (value instanceof Map) for (const [key, item] of value) waiting.push(key, item);
  }
  return false;
}

function wholeObject(name: string, { madeBy }: PickleOpaque, place: string): InputError {
  return new InputError(
    `${name}: saved as a whole Python object made by ${quoted(madeBy)}, which is not run here; save its tensors, in Python, if you trust ` +
      `the file: torch.save(torch.load(${quoted(name)}, map_location="cpu")${place}.state_dict(), "new.pt")`,
  );
}

function subscripts(path: readonly string[]): string {
  return path.map((key) => `[${quoted(key)}]`).join('');
}
