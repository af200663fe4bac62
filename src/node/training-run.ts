/**
 * A training with its folder: prompts tuned on encoded images, what the folder holds of them kept up to date, and an interrupted
 * resumed training to the result of an uninterrupted one.
 */
import type { TruncatedImages } from '../clip/image/index.js';
import { type TextTower, TokenEmbeddings } from '../clip/towers/index.js';
import { counted } from '../errors.js';
import { isPtDpc, type PromptOptions, promptSetup } from '../learners/prompts/index.js';
import {
  anchorsOf,
  type BestEpoch,
  type ClassName,
  type Dataset,
  type EpochMetrics,
  equalPromptsNote,
  keptPrompts,
  learnedTensors,
  PromptModel,
  promptText,
  requireTrainingMemory,
  stepsPerEpoch,
  TrainingDiverged,
  type TrainingState,
  trainPrompts,
} from '../ptdpc/index.js';
import type { EncodedSplit } from './encode-splits.js';
import { type Events, SILENT } from './events.js';
import type { ModelDirectory } from './model-directory.js';
import { type RunClaim, RunDirectory } from './run-directory.js';
import { runImages } from './run-images.js';
import { commonRecord, type PromptsRecord, trainedOn } from './run-record.js';

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
  await using own = request.claim ? undefined : await RunDirectory.claim(out, (line) => events.say(line));
  const claim = request.claim ?? own!;
  const run = await RunDirectory.open(out, await recordOf(request), listImages(request), prompts.size);
  await run.begin();
  let last = await run.lastEpoch();
  const done = run.state?.epochs ?? 0;
  if (last && done >= options.epochs) {
    events.say(`${out}: all ${options.epochs} epochs are already done`);
    prompts.write(keptPrompts(run.state!).prompts);
    await request.use?.(prompts);
    return last;
  }
  if (done > 0) events.say(`${out}: resuming after epoch ${done} of ${options.epochs}`);

  const images = train.labels.length;
  const [sets, tokens] = prompts.prompts.shape;
  const note = isPtDpc(options) ? equalPromptsNote(options, classes.length) : undefined;
  if (note) events.say(note);
  events.say(
    `training ${prompts.size.toLocaleString('en')} parameters (${counted(sets!, 'prompt')} of ${tokens} tokens` +
      `${prompts.metaNet.length > 0 ? ', and a network' : ''}) on ` +
      `${counted(images, 'image')} of ${classes.length} classes, ${counted(stepsPerEpoch(images, options.batchSize), 'step')} per epoch`,
  );
  using bar = events.progress((options.epochs - done) * images, 'training', 'images');
  const kept = () =>
    last
      ? `${out} keeps the prompts of epoch ${last.epoch + 1}; another --lr needs another --out`
      : `no epoch was finished, so ${out} can be reused with another --lr`;
  let best: BestEpoch | undefined;
  await trainPrompts({
    model: prompts,
    options: setup.training,
    train,
    validation,
    memory,
    resume: run.state,
    onStep: (metrics, images) => {
      run.step(metrics);
      bar.tick(images, `epoch ${metrics.epoch + 1}/${options.epochs}, loss ${metrics.loss.toFixed(4)}`);
    },
    onEpoch: async (metrics, state) => {
      best = state.best;
      await claim.requireHeld();
      await request.onState?.(state);
      await run.epoch(metrics, state, learnedTensors(prompts, keptPrompts(state).prompts));
      last = metrics;
      request.onEpoch?.(metrics);
    },
  }).catch((error: unknown) => {
    throw error instanceof TrainingDiverged ? new TrainingDiverged(`${error.message}; ${kept()}`) : error;
  });
  if (!last) throw new Error('training ended without an epoch');
  if (best) events.say(`${out}: keeps the prompts of epoch ${best.epochs}, the best on the validation images`);
  await request.use?.(prompts);
  return last;
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
