/** Prompts of texts tuned on encoded images, in a folder (train-in-folder.ts). */
import type { TruncatedImages } from '../clip/image/index.js';
import { type TextTower, TokenEmbeddings } from '../clip/towers/index.js';
import { counted } from '../errors.js';
import { isPtDpc, type PromptOptions, promptSetup } from '../learners/prompts/index.js';
import {
  anchorsOf,
  type ClassName,
  type Dataset,
  type EpochMetrics,
  equalPromptsNote,
  learnedTensors,
  PromptModel,
  promptText,
  requireTrainingMemory,
  type TrainingState,
  trainPrompts,
} from '../ptdpc/index.js';
import type { EncodedSplit } from './encode-splits.js';
import { type Events, SILENT } from './events.js';
import type { ModelDirectory } from './model-directory.js';
import type { RunClaim } from './run-directory.js';
import { runImages } from './run-images.js';
import { commonRecord, type PromptsRecord, trainedOn } from './run-record.js';
import { trainInFolder } from './train-in-folder.js';

export interface TrainingRun {
  /** Folder of the run. */
  readonly out: string;
  /** The caller's claim on that folder, where it has one already. */
  readonly claim?: Pick<RunClaim, 'requireHeld'> | undefined;
  readonly model: ModelDirectory;
  /** The model's, on the device that trains. */
  readonly tower: TextTower;
  /** For the record: where the images come from. */
  readonly data: Pick<Dataset, 'root' | 'setting' | 'origin'>;
  readonly classes: readonly ClassName[];
  readonly options: PromptOptions;
  readonly train: EncodedSplit;
  readonly validation?: EncodedSplit | undefined;
  /** Bytes for activations, beside the weights. */
  readonly memory: number;
  /** For the record: whether unreadable images were refused. */
  readonly strict?: boolean | undefined;
  /** For the record: what became of images whose files are cut short. */
  readonly truncated?: TruncatedImages | undefined;
  readonly events?: Events | undefined;
  /** Called after each epoch with its state, before that is on disk: what it writes is there for every epoch of a resumed training. */
  readonly onState?: ((state: TrainingState) => Promise<void>) | undefined;
  /** Called after each epoch, once it is on disk. */
  readonly onEpoch?: ((metrics: EpochMetrics) => void) | undefined;
  /** Called at the end with the tuned prompts, which are gone after it. */
  readonly use?: ((model: PromptModel) => Promise<void>) | undefined;
}

/**
 * Trains, resumes, or finds the run finished; returns the last epoch's metrics. Throws InputError if the folder holds
 * something else or another run, or another process trains there, where not even one prompt fits the memory, and where loss or prompts
 * are NaN: the folder then has the prompts and the state of the last epoch before that.
 */
export async function trainRun(request: TrainingRun): Promise<EpochMetrics> {
  const { out, model, tower, classes, options, train, validation, memory, events = SILENT } = request;
  const words = classes.map(({ word }) => word);
  const setup = promptSetup(options);
  const tokenizer = await model.tokenizer();
  const text = promptText(tokenizer, setup.layout, words, model.config.text.context);
  const embeddings = new TokenEmbeddings(model.clip);
  const anchors = await anchorsOf(tower, embeddings, tokenizer, words, setup, memory);
  using prompts = await PromptModel.create(tower, embeddings, text, setup.model, { anchors });
  requireTrainingMemory(prompts, memory);
  const [sets, tokens] = prompts.prompts.shape;
  return await trainInFolder({
    ...{ out, claim: request.claim, record: await recordOf(request), listed: listImages(request), events },
    ...{ model: prompts, options: setup.training, images: train.labels.length },
    what: `${counted(sets!, 'prompt')} of ${tokens} tokens${prompts.metaNet.length > 0 ? ', and a network' : ''}`,
    note: isPtDpc(options) ? equalPromptsNote(options, classes.length) : undefined,
    tensors: (learned) => learnedTensors(prompts, learned),
    train: (hooks) => trainPrompts({ ...hooks, model: prompts, options: setup.training, train, validation, memory }),
    ...{ onState: request.onState, onEpoch: request.onEpoch, use: request.use },
  });
}

async function recordOf(request: TrainingRun): Promise<PromptsRecord> {
  const { model, tower, classes, options, data, train, validation, memory, strict, truncated } = request;
  const { backend } = tower.engine;
  const dataset = { ...data, classes };
  return {
    learner: 'prompts',
    ...(await commonRecord({ model, dataset, backend, memory, strict, truncated })),
    options,
    ...trainedOn(data.root, train, validation),
  };
}

function listImages({ train, validation, classes, data }: TrainingRun) {
  const validated = validation ? runImages('val', validation, classes, data.root) : [];
  return [...runImages('train', train, classes, data.root), ...validated];
}
