/** What the tasks of one process share: the folder, the device, and the models loaded on it. */
import type { TruncatedImages } from '../../clip/image/index.js';
import { TextTower } from '../../clip/towers/index.js';
import { InputError } from '../../errors.js';
import type { FrozenEncoder, PlanEncoder } from '../../ptdpc/experiment/index.js';
import type { PreprocessChoice } from '../../ptdpc/index.js';
import type { Engine } from '../../tensor/index.js';
import type { Events } from '../events.js';
import {
  clipEncoder,
  type EncoderOptions,
  type ImageEncoder,
  type OpenedEncoder,
  openEncoder,
} from '../image-encoder.js';
import type { LockTiming } from '../lock.js';
import { type ModelDirectory, openModelDirectory } from '../model-directory.js';
import { Claims } from './claims.js';
import type { WorkFolder } from './work-folder.js';

export interface WorkOptions {
  engine: Engine;
  /** Bytes for activations, beside the weights. */
  memory: number;
  /** Where features are kept; undefined: in the plan's folder. */
  cache?: string | undefined;
  events: Events;
  claimTiming?: LockTiming | undefined;
}

/** The models that tasks are about, and how images are read for them. */
export interface WorkModels {
  readonly model: { readonly directory: string; readonly sha256: string };
  /** Encoders beside the model. */
  readonly encoders: readonly PlanEncoder[];
  /** How images are prepared for these. */
  readonly preprocess: PreprocessChoice;
  readonly strict: boolean;
  readonly truncated: TruncatedImages;
  /** Whether a task will ask for pooled features: they are kept when joint ones are computed. */
  readonly wantsPooled: boolean;
}

export interface WorkContext extends Omit<WorkModels, 'model' | 'encoders'>, AsyncDisposable {
  readonly folder: WorkFolder;
  readonly claims: Claims;
  readonly engine: Engine;
  readonly model: ModelDirectory;
  readonly tower: TextTower;
  /** The encoders of probes. */
  readonly encoders: ReadonlyMap<FrozenEncoder, ImageEncoder>;
  /** Where those beside the model come from. */
  readonly besides: readonly PlanEncoder[];
  readonly memory: number;
  readonly cacheDirectory: string;
  readonly events: Events;
}

/** Opens the models. Throws InputError if they are no longer those that the plan was made with. */
export async function openContext(folder: WorkFolder, models: WorkModels, options: WorkOptions): Promise<WorkContext> {
  const { engine, memory, events, cache: cacheDirectory = folder.cache } = options;
  const { preprocess, strict, truncated, wantsPooled, encoders: besides } = models;
  const { directory, sha256 } = models.model;
  const model = await openModelDirectory(directory, cacheDirectory);
  const opened: OpenedEncoder[] = [];
  const close = async () => {
    for (const encoder of opened) await encoder[Symbol.asyncDispose]();
    await model.close();
  };
  try {
    await requireWeights(folder, directory, model, sha256);
    const encoders = new Map<FrozenEncoder, ImageEncoder>([
      ['clip-joint', clipEncoder(model, 'joint')],
      ['clip-pooled', clipEncoder(model, 'pooled')],
    ]);
    for (const { name, path, sha256 } of besides) {
      const encoder = await openCompared(path, { preprocess, cacheDirectory });
      opened.push(encoder);
      await requireWeights(folder, path, encoder, sha256);
      encoders.set(`encoder-${name}`, encoder);
    }
    const tower = await TextTower.load(engine, model.clip, model.config);
    return {
      folder,
      claims: new Claims(folder.claims, options.claimTiming),
      engine,
      model,
      tower,
      encoders,
      besides,
      memory,
      ...{ preprocess, strict, truncated, wantsPooled },
      cacheDirectory,
      events,
      [Symbol.asyncDispose]: async () => {
        tower[Symbol.dispose]();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function requireWeights(
  { path: plan }: WorkFolder,
  path: string,
  model: Pick<ImageEncoder, 'hash'>,
  sha256: string,
): Promise<void> {
  if ((await model.hash()) === sha256) return;
  throw new InputError(
    `${path}: its weights or its image preprocessing have changed since the plan in ${plan} was made; choose another --out`,
  );
}

/** Opens an encoder to be compared with the plan's CLIP. Throws InputError if it is itself a CLIP, or none. */
export async function openCompared(
  path: string,
  options: Pick<EncoderOptions, 'preprocess' | 'cacheDirectory'>,
): Promise<OpenedEncoder> {
  const encoder = await openEncoder(path, { ...options, features: 'pooled' });
  if (encoder.config.kind !== 'clip') return encoder;
  await encoder[Symbol.asyncDispose]();
  throw new InputError(`--encoders ${path}: expected another encoder than a CLIP, which --model gives, found a CLIP`);
}
