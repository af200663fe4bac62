/**
 * Prompts that the published code of CoOp has learned, or one that is built on it, as a run: `prompt_learner/model.pth.tar-50` of CoOp, CoCoOp,
 * KgCoOp or ProGrad. Such a file is a checkpoint of PyTorch with
 *
 *     ctx                        the learned tokens [M, D], or [C, M, D] of each class
 *     meta_net.linear1.weight …  CoCoOp's network
 *     token_prefix               SOT's embedding [C, 1, D]
 *     token_suffix               the embeddings of the class words, the full stop, EOT and padding [C, 76 - M, D]
 *
 * The last two are not learned. They show whether the model is the one that the prompts were learned with, and the classes the same.
 */
import { basename, join } from 'node:path';
import { type Checkpoint, readFloat32 } from '../clip/checkpoint/index.js';
import { TokenEmbeddings } from '../clip/towers/index.js';
import { InputError } from '../errors.js';
import { META_NET } from '../learners/prompts/cocoop.js';
import { type ContextLearner, type ContextTuning, contextOptions, promptSetup } from '../learners/prompts/index.js';
import {
  type AnyPromptsFile,
  type Dataset,
  describeDataset,
  encodePrompts,
  isClassSpecific,
  type NamedTensor,
  promptText,
} from '../ptdpc/index.js';
import { createDirectoryAtomically, requireNothingAt, writeFileAtomically } from './atomic.js';
import { openCheckpointFiles } from './checkpoint-files.js';
import { type DatasetOptions, openDataset } from './datasets.js';
import { type Events, SILENT } from './events.js';
import { hashWeights } from './file-hashes.js';
import { type ModelDirectory, openModelDirectory } from './model-directory.js';
import { commonRecord, type PromptsRecord, recordJson } from './run-record.js';

/** A file of prompts, and what the run is to be of. */
export interface ImportRequest {
  readonly checkpoint: string;
  /** Model directory of the CLIP that they were learned with. */
  readonly model: string;
  /** Folder of the data set, or a manifest: its classes are the run's. */
  readonly data: string;
  readonly dataset?: DatasetOptions | undefined;
  /** Folder to create. */
  readonly out: string;
  /** Which learner's they are. Default: CoCoOp's with a network, else CoOp's. */
  readonly learner?: ContextLearner | undefined;
  /** Where the class word stands, which the file does not say. Default: `end`. */
  readonly classPosition?: 'end' | 'middle' | 'front' | undefined;
  readonly cacheDirectory?: string | undefined;
  readonly events?: Events | undefined;
}

/** Makes the run; its folder appears whole or not at all. Throws InputError where the file, the model and the classes do not fit each other. */
export async function importPrompts(request: ImportRequest): Promise<PromptsRecord> {
  const { checkpoint: path, out, events = SILENT } = request;
  await requireNothingAt(out);
  await using model = await openModelDirectory(request.model, request.cacheDirectory);
  const dataset = await openDataset(request.data, request.dataset);
  for (const line of describeDataset(dataset)) events.say(line);
  const { checkpoint, close } = await openCheckpointFiles([path]);
  try {
    const names = learnedNames(checkpoint);
    const options = optionsOf(checkpoint, names, request, model);
    const learned = await readLearned(checkpoint, names, options, model, dataset);
    await checkFrozen(checkpoint, names, options, model, dataset, events);
    const record = await recordOf(request, options, model, dataset);
    const epochs = epochsOf(checkpoint, path) ?? options.epochs;
    const file = { options, classes: dataset.classes, modelHash: await model.hash(), epochs, ...learned };
    const bytes = await encodePrompts(file);
    await createDirectoryAtomically(out, async (folder) => {
      await writeFileAtomically(join(folder, 'run.json'), recordJson(record));
      await writeFileAtomically(join(folder, 'prompts.safetensors'), bytes);
    });
    return record;
  } finally {
    await close();
  }
}

/** The names of tensors in the checkpoint, by those of the published code: a whole model's begin with `prompt_learner.`. */
type Names = ReadonlyMap<string, string>;

function learnedNames(checkpoint: Checkpoint): Names {
  const names = new Map(
    checkpoint.names().map((name) => [name.replace(/^(?:module\.)?(?:prompt_learner\.)?(?:module\.)?/, ''), name]),
  );
  if (names.has('ctx')) return names;
  const found = checkpoint.names().slice(0, 5).join(', ');
  throw new InputError(
    `${checkpoint.name}: expected the learned tokens "ctx" of CoOp's published code (prompt_learner/model.pth.tar-50), found ${found || 'no tensors'}`,
  );
}

/** What the shapes say of the learner's options, and the request of what they do not. */
function optionsOf(
  checkpoint: Checkpoint,
  names: Names,
  { learner, classPosition }: ImportRequest,
  { config }: ModelDirectory,
): ContextTuning {
  const { name } = checkpoint;
  const shape = checkpoint.shape(names.get('ctx')!);
  const [context = 0, width] = shape.slice(-2);
  if ((shape.length !== 2 && shape.length !== 3) || context < 1 || width !== config.text.width)
    throw new InputError(
      `${name}: expected "ctx" of [tokens, ${config.text.width}], or that for each class, found [${shape.join(', ')}]: is it another CLIP's?`,
    );
  const own = { context, initWords: '' };
  const classSpecific = shape.length === 3;
  const hidden = names.get(META_NET[0]);
  const kind = learner ?? (hidden === undefined ? 'coop' : 'cocoop');
  if ((kind === 'cocoop') !== (hidden !== undefined))
    throw new InputError(
      `--learner ${kind}: ${name} has ${hidden === undefined ? 'no network' : 'the network of CoCoOp'}; leave the option out`,
    );
  if (kind === 'coop' || kind === 'prograd')
    return contextOptions(kind, { ...own, classSpecific, classPosition: classPosition ?? 'end' });
  if (classSpecific || (classPosition ?? 'end') !== 'end')
    throw new InputError(`${name}: the tokens of ${kind} are shared by all classes and stand before their words`);
  if (kind === 'kgcoop') return contextOptions(kind, own);
  const reduction = Math.floor(config.projectionDim / (checkpoint.shape(hidden!)[0] ?? 1));
  return contextOptions(kind, { ...own, reduction });
}

async function readLearned(
  checkpoint: Checkpoint,
  names: Names,
  options: ContextTuning,
  { config }: ModelDirectory,
  { classes: { length: classes } }: Dataset,
): Promise<Pick<AnyPromptsFile, 'shape' | 'prompts' | 'metaNet'>> {
  const { mode, metaNet: reduction } = promptSetup(options).model;
  const ctx = names.get('ctx')!;
  const shape = checkpoint.shape(ctx);
  const sets = isClassSpecific(mode) ? shape[0]! : 1;
  if (isClassSpecific(mode) && sets !== classes)
    throw new InputError(
      `${checkpoint.name}: it has tokens for each of ${sets} classes, and the data set has ${classes}`,
    );
  const metaNet: NamedTensor[] = [];
  const { text, projectionDim: joint } = config;
  const hidden = reduction === undefined ? 0 : Math.floor(joint / reduction);
  const expected = [[hidden, joint], [hidden], [text.width, hidden], [text.width]];
  for (const [i, name] of reduction === undefined ? [] : [...META_NET.entries()]) {
    const own = names.get(name);
    const found = own === undefined ? undefined : checkpoint.shape(own);
    if (found?.join() !== expected[i]!.join())
      throw new InputError(
        `${checkpoint.name}: expected "${name}" of [${expected[i]!.join(', ')}], found ${found ? `[${found.join(', ')}]` : 'none'}`,
      );
    metaNet.push([name, found, await readFloat32(checkpoint, own!)]);
  }
  const prompts = await readFloat32(checkpoint, ctx);
  if (!prompts.every(Number.isFinite))
    throw new InputError(`${checkpoint.name}: "ctx" has numbers that are not finite`);
  return { shape: [sets, ...shape.slice(-2)], prompts, ...(metaNet.length > 0 && { metaNet }) };
}

/** Compares the embeddings in the file with the model's: another model is refused, and other classes for tokens of single classes. */
async function checkFrozen(
  checkpoint: Checkpoint,
  names: Names,
  options: ContextTuning,
  model: ModelDirectory,
  { classes }: Dataset,
  events: Events,
): Promise<void> {
  const [prefix, suffix] = [names.get('token_prefix'), names.get('token_suffix')];
  if (prefix === undefined || suffix === undefined) {
    events.say(`note: ${checkpoint.name} does not show which CLIP and classes its prompts were learned with`);
    return;
  }
  const { layout, model: how } = promptSetup(options);
  const words = classes.map(({ word }) => word);
  const text = promptText(await model.tokenizer(), layout, words, model.config.text.context);
  const embeddings = new TokenEmbeddings(model.clip);
  const { width } = model.config.text;
  const start = await readFloat32(checkpoint, prefix, { first: 0, count: 1 });
  if (!isNear(start.subarray(0, width), await embeddings.row(text.sot)))
    throw new InputError(
      `${checkpoint.name}: its embedding of the start of a text is not that of ${model.directory}: learned with another CLIP`,
    );
  const [count = 0, length = 0] = checkpoint.shape(suffix);
  const differs = async (c: number): Promise<boolean> => {
    const rows = await readFloat32(checkpoint, suffix, { first: c, count: 1 });
    const ids = [...text.classes[c]!, ...(text.stop ?? []), text.eot];
    if (ids.length > length) return true;
    for (const [at, id] of ids.entries())
      if (!isNear(rows.subarray(at * width, (at + 1) * width), await embeddings.row(id))) return true;
    return false;
  };
  let first = count === classes.length ? -1 : 0;
  for (let c = 0; first < 0 && c < count; c++) if (await differs(c)) first = c;
  if (first < 0) return;
  const which =
    count === classes.length
      ? `class ${first + 1} has another word than "${words[first]}"`
      : `${count} classes, where the data set has ${classes.length}`;
  if (isClassSpecific(how.mode))
    throw new InputError(
      `${checkpoint.name}: learned for other classes: ${which}; give them, in order, with --classes name=word,...`,
    );
  events.say(`note: learned with other classes (${which}); its tokens are put before the words of these`);
}

/** Whether two embeddings are the same up to the rounding of half precision. */
function isNear(a: Float32Array, b: Float32Array): boolean {
  const largest = b.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return a.length === b.length && a.every((x, i) => Math.abs(x - b[i]!) <= 1e-3 * largest);
}

/** Epochs of the training, as the file or its name says. */
function epochsOf(checkpoint: Checkpoint, path: string): number | undefined {
  const epochs = Number(checkpoint.metadata.get('epoch') ?? /-(\d+)$/.exec(basename(path))?.[1]);
  return Number.isSafeInteger(epochs) && epochs > 0 ? epochs : undefined;
}

async function recordOf(
  { checkpoint, cacheDirectory }: ImportRequest,
  options: ContextTuning,
  model: ModelDirectory,
  dataset: Dataset,
): Promise<PromptsRecord> {
  const backend = { kind: 'cpu', description: 'another program' } as const;
  return {
    learner: 'prompts',
    ...(await commonRecord({ model, dataset, backend, memory: 2 ** 30 })),
    options,
    imported: { file: basename(checkpoint), sha256: await hashWeights([checkpoint], cacheDirectory) },
    images: { train: 0, val: null, trainSha256: null, valSha256: null },
    truncatedRead: [],
    skipped: [],
  };
}
