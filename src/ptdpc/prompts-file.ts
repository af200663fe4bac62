/**
 * `prompts.safetensors`: the learned tokens with everything needed to use them again, except the model; training data are not included.
 * One tensor `prompts` [C or 1, L, D], and of CoCoOp those of its network; everything else is JSON in the metadata.
 */
import { type ByteSource, openCheckpoint, writeSafetensors } from '../clip/checkpoint/index.js';
import { quoted } from '../clip/checkpoint/quoted.js';
import { InputError } from '../errors.js';
import { META_NET } from '../learners/prompts/cocoop.js';
import { isPtDpc, type PromptOptions, parsePromptOptions, promptSetup } from '../learners/prompts/index.js';
import { promptCount, type TuningOptions } from './options.js';

/** A class: the folder of its images, and its word or words in the prompt. */
export interface ClassName {
  folder: string;
  word: string;
}

/** Trained prompts, with everything needed to use them again: PT-DPC's, unless the options say otherwise. */
export interface PromptsFile<Options extends PromptOptions = TuningOptions> {
  options: Options;
  classes: readonly ClassName[];
  /** SHA-256 of the weights that the prompts were trained with. */
  modelHash: string;
  /** Number of epochs trained. */
  epochs: number;
  shape: readonly number[];
  prompts: Float32Array;
  /** What else was learned: the tensors of CoCoOp's network, see `metaNetShapes`. */
  metaNet?: readonly NamedTensor[] | undefined;
}

/** Trained prompts of any learner. */
export type AnyPromptsFile = PromptsFile<PromptOptions>;

/** A tensor of a file. */
export type NamedTensor = readonly [name: string, shape: readonly number[], data: Float32Array];

const FORMAT = 'ptdpc-prompts';
const VERSION = '1';

/** The format of learned tokens of the image tower (image-prompts/file.ts). */
export const IMAGE_PROMPTS_FORMAT = 'ptdpc-image-prompts';

/** The bytes of prompts.safetensors. */
export async function encodePrompts(file: AnyPromptsFile): Promise<Uint8Array> {
  const metadata = new Map([
    ['format', FORMAT],
    ['version', VERSION],
    ['options', JSON.stringify(file.options)],
    ['classes', JSON.stringify(file.classes)],
    ['model_sha256', file.modelHash],
    ['epochs', String(file.epochs)],
  ]);
  return safetensorsBytes([['prompts', file.shape, file.prompts], ...(file.metaNet ?? [])], metadata);
}

/** Throws InputError if the file is not a prompts file, or is inconsistent. */
export async function decodePrompts(source: ByteSource): Promise<AnyPromptsFile> {
  const checkpoint = await openCheckpoint([source]);
  const metadata = (key: string): string => {
    const value = checkpoint.metadata.get(key);
    if (value === undefined)
      throw new InputError(`${source.name}: expected the prompts of a run, found no metadata "${key}"`);
    return value;
  };
  if (metadata('format') === IMAGE_PROMPTS_FORMAT)
    throw new InputError(
      `${source.name}: learned tokens of the image tower; expected prompts of texts (eval and predict take the folder of the run)`,
    );
  if (metadata('format') !== FORMAT || metadata('version') !== VERSION) {
    throw new InputError(
      `${source.name}: expected format ${FORMAT} ${VERSION}, found ${quoted(metadata('format'))} ${quoted(metadata('version'))}`,
    );
  }
  const options = parsePromptOptions(parse(metadata('options'), source.name));
  const classes = parse(metadata('classes'), source.name);
  if (!options || !isClassList(classes)) throw new InputError(`${source.name}: the metadata does not describe a run`);
  const { mode, metaNet: reduction } = promptSetup(options).model;
  const shape = checkpoint.shape('prompts');
  if (shape.length !== 3 || shape[0] !== promptCount(mode, classes.length)) {
    throw new InputError(
      `${source.name}: expected prompts for ${promptCount(mode, classes.length)} sets, found shape [${shape.join(', ')}]`,
    );
  }
  const read = async (name: string): Promise<Float32Array> => {
    const data = await checkpoint.read(name);
    if (data instanceof Float32Array) return data;
    throw new InputError(`${source.name}: expected float32 numbers in "${name}"`);
  };
  const prompts = await read('prompts');
  const metaNet: NamedTensor[] = [];
  for (const name of reduction === undefined ? [] : META_NET)
    metaNet.push([name, checkpoint.shape(name), await read(name)]);
  const epochs = Number(metadata('epochs'));
  if (!Number.isSafeInteger(epochs) || epochs < 1) throw new InputError(`${source.name}: damaged metadata "epochs"`);
  return {
    options,
    classes,
    modelHash: metadata('model_sha256'),
    epochs,
    shape,
    prompts,
    ...(metaNet.length > 0 && { metaNet }),
  };
}

/** The same file, if its prompts are PT-DPC's. Throws InputError beginning with `name` for another learner's. */
export function ptDpcPrompts(file: AnyPromptsFile, name: string): PromptsFile {
  const { options } = file;
  if (isPtDpc(options)) return { ...file, options };
  throw new InputError(
    `${name}: prompts of learner ${options.learner}; expected those of PT-DPC (ptdpc train without --learner)`,
  );
}

/** Writes a small safetensors file in memory. */
export async function safetensorsBytes(
  tensors: readonly NamedTensor[],
  metadata: ReadonlyMap<string, string>,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const entries = tensors.map(([name, shape, data]) => ({
    name,
    shape,
    dtype: 'F32' as const,
    read: () => new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  }));
  await writeSafetensors(entries, metadata, (chunk) => {
    chunks.push(chunk);
  });
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** Whether a value from a file is a list of at least one class. */
export function isClassList(value: unknown): value is ClassName[] {
  const isName = (name: unknown) =>
    typeof name === 'object' && name !== null && 'folder' in name && 'word' in name && isText(name.folder, name.word);
  return Array.isArray(value) && value.length > 0 && value.every(isName);
}

const isText = (...values: unknown[]) => values.every((value) => typeof value === 'string');

function parse(json: string, name: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new InputError(`${name}: damaged metadata: expected JSON, found ${quoted(json)}`);
  }
}
