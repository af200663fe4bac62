/**
 * A run on disk: `run.json` (what was asked for, and with what), `images.csv` (run-images.ts), `metrics.jsonl`, `prompts.safetensors` (the
 * latest prompts) and `state.safetensors` (what the next epoch needs). All but the metrics are written to a temporary name and renamed, and the
 * state, written last, says how much of the metrics counts: an interruption at any moment leaves a run that resumes.
 */
import { existsSync } from 'node:fs';
import { readdir, realpath, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { shortened } from '../clip/checkpoint/quoted.js';
import { InputError } from '../errors.js';
import type { ImageOptions } from '../learners/images/index.js';
import { LEARNERS, trainingOf } from '../learners/index.js';
import { learnerOf, type PromptOptions } from '../learners/prompts/index.js';
import { encodeImagePrompts } from '../ptdpc/image-prompts/index.js';
import {
  type AnyPromptsFile,
  decodePrompts,
  decodeTrainingState,
  describeOrigin,
  type EpochMetrics,
  encodePrompts,
  encodeTrainingState,
  keptPrompts,
  type NamedTensor,
  type StepMetrics,
  type TrainingState,
} from '../ptdpc/index.js';
import { flagOf, type OptionField } from '../ptdpc/options.js';
import { finite, parseJsonAs, positive, share, whole } from '../ptdpc/parse-json.js';
import { span } from '../trace.js';
import { requireNothingAt, writeFileAtomically } from './atomic.js';
import { openFileSource } from './file-source.js';
import { takeLock } from './lock.js';
import { makeFolder } from './make-folder.js';
import { openToAppend, requireTrustedFolder } from './own-files.js';
import { isTemporary, removeLeftBehind } from './process-tag.js';
import { describeOtherImages, imageLines, imagesPath, type RunImage, readRunImages } from './run-images.js';
import { readTrainingRecord, recordJson, type TrainingRecord } from './run-record.js';
import { explained, naming } from './system-error.js';

/** What must be equal for a run to resume: everything that the result depends on, by its name in messages. */
function identity({ options, classes, model, dataset, images, device }: TrainingRecord): Record<string, unknown> {
  const { train, val } = images;
  const counts = { 'number of training images': train, 'number of validation images': val };
  const data = { 'data set': dataset.setting, split: describeOrigin(dataset.origin) };
  return {
    learner: learnerOf(options),
    ...options,
    ...data,
    classes: JSON.stringify(classes),
    model: model.sha256,
    ...counts,
    device: device.kind,
  };
}

/** Folder of the runs at other learning rates, if the rate was chosen. */
export const TRIALS = 'trials';

/** Held by the one process that trains here. */
const LOCK = '.lock';

/** What a start that was killed may have left in a folder that holds no run yet. */
const isLeftBehind = (name: string): boolean => name === LOCK || name === TRIALS || isTemporary(name);

/** Whether a run in the folder has a finished epoch: without one there is nothing to resume. */
const hasEpochs = (path: string): boolean =>
  ['state.safetensors', 'prompts.safetensors'].some((name) => existsSync(join(path, name)));

/** This process's right to train in a folder. */
export interface RunClaim extends AsyncDisposable {
  /** Throws InputError if another process took it, having seen no sign of life for too long. */
  requireHeld(): Promise<void>;
}

/** The folder holds a run with other options, images or device. */
export class OtherRun extends InputError {}

/** Only the end of metrics.jsonl is read; a line takes about 150 bytes. */
const LONGEST_METRICS_LINE = 65_536;

export class RunDirectory {
  readonly #lines: string[] = [];

  private constructor(
    readonly path: string,
    readonly record: TrainingRecord,
    /** Where an interrupted run stands. */
    readonly state: TrainingState | undefined,
    private metricsBytes: number,
  ) {}

  /** Throws InputError if `path` can be no run's folder because there is something else. To be asked before long work. */
  static async requirePlace(path: string): Promise<void> {
    const names = (await readdir(path).catch(() => undefined)) ?? [];
    if (names.includes('run.json')) await readTrainingRecord(path);
    else if (names.length === 0 || !names.every(isLeftBehind)) await requireNothingAt(path);
  }

  /** Throws OtherRun if `path` holds a run, with a finished epoch, with other options. To be asked before long work. */
  static async requireOptions(path: string, options: PromptOptions | ImageOptions): Promise<void> {
    if (!hasEpochs(path)) return;
    const found = (await readTrainingRecord(path)).options;
    const before = { learner: learnerOf(found), ...found };
    for (const [key, value] of Object.entries({ learner: learnerOf(options), ...options })) {
      const other: unknown = Reflect.get(before, key);
      if (other !== value) throw otherRun(path, key, other, value);
    }
  }

  /**
   * Makes sure that no other process trains in `path`, which is created, until the claim is disposed; a folder that is empty then goes
   * again. Throws InputError if one does, or the folder cannot be written. `say` is called if it takes time to find out.
   */
  static async claim(path: string, say?: (message: string) => void): Promise<RunClaim> {
    let made: string | undefined;
    try {
      made = await makeFolder(path);
    } catch (error) {
      throw new InputError(`--out ${path}: cannot be created (${explained(error)})`);
    }
    // What is written here is believed later. The folder itself may be a link of the user's, to a larger disk.
    await requireTrustedFolder(await realpath(path));
    const lock = await takeLock(join(path, LOCK), { what: `--out ${path}`, say });
    return {
      requireHeld: async () => {
        if (await lock.isTakenOver())
          throw new InputError(`--out ${path}: another process has taken it over, so this one stops`);
      },
      [Symbol.asyncDispose]: async () => {
        await lock[Symbol.asyncDispose]();
        if (made !== undefined) await rmdir(path).catch(() => {});
      },
    };
  }

  /**
   * Starts a run, or picks up an interrupted one with the same options and images. Throws InputError if the folder holds something
   * else, and OtherRun if it is a run with other options or images. Its folder should be claimed.
   */
  static async open(
    path: string,
    record: TrainingRecord,
    images: readonly RunImage[],
    learnedSize: number,
  ): Promise<RunDirectory> {
    const statePath = join(path, 'state.safetensors');
    if (!hasEpochs(path)) {
      // Without a finished epoch there is nothing to resume from, whatever the options were.
      await RunDirectory.requirePlace(path);
      await writeFileAtomically(join(path, 'run.json'), recordJson(record));
      await writeFileAtomically(imagesPath(path), imageLines(images));
      return new RunDirectory(path, record, undefined, 0);
    }
    const found = await readTrainingRecord(path);
    const before = identity(found);
    for (const [key, value] of Object.entries(identity(record))) {
      const other: unknown = Reflect.get(before, key);
      if (other !== value) {
        throw otherRun(path, key, other, value);
      }
    }
    await requireSameImages(path, found, record, images);
    if (!existsSync(statePath)) return new RunDirectory(path, record, undefined, 0);
    await using source = await openFileSource(statePath);
    const { optimizer } = trainingOf(record.options).training;
    const { state, metricsBytes } = await decodeTrainingState(source, learnedSize, optimizer);
    return new RunDirectory(path, record, state, metricsBytes);
  }

  /** Removes the remains of an unfinished epoch. Call once, before the first `step` or `epoch`. */
  async begin(): Promise<void> {
    await removeLeftBehind(this.path);
    const path = join(this.path, 'metrics.jsonl');
    if (this.metricsBytes === 0 && !existsSync(path)) return;
    await naming(path, 'cannot be written', async () => {
      await using file = await openToAppend(path);
      const { size } = await file.stat();
      if (size < this.metricsBytes)
        throw new InputError(`${path}: expected at least ${this.metricsBytes} bytes, found ${size}`);
      if (size > this.metricsBytes) await file.truncate(this.metricsBytes);
    });
  }

  /** The metrics of the last finished epoch, if there is one. Call after `begin`. */
  async lastEpoch(): Promise<EpochMetrics | undefined> {
    return this.metricsBytes === 0 ? undefined : await lastEpochOf(this.path);
  }

  step(metrics: StepMetrics): void {
    this.#lines.push(JSON.stringify(metrics));
  }

  /** Writes the epoch's metrics, the prompts that are kept, and last the state. */
  async epoch(metrics: EpochMetrics, state: TrainingState, learned: LearnedTensors): Promise<void> {
    using _ = span('write', { run: this.path });
    const text = `${[...this.#lines.splice(0), JSON.stringify(metrics)].join('\n')}\n`;
    const path = join(this.path, 'metrics.jsonl');
    await naming(path, 'cannot be written', async () => {
      await using file = await openToAppend(path);
      await file.appendFile(text);
      await file.sync();
    });
    this.metricsBytes += Buffer.byteLength(text);
    const prompts = await promptBytes(this.record, keptPrompts(state).epochs, learned);
    await writeFileAtomically(join(this.path, 'prompts.safetensors'), prompts);
    await writeFileAtomically(
      join(this.path, 'state.safetensors'),
      await encodeTrainingState(state, this.metricsBytes),
    );
  }
}

/** Learned prompts of texts, or the tensors of a learner of the image tower. */
export type LearnedTensors =
  | Pick<AnyPromptsFile, 'shape' | 'prompts' | 'metaNet'>
  | { readonly tensors: readonly NamedTensor[] };

function promptBytes(record: TrainingRecord, epochs: number, learned: LearnedTensors): Promise<Uint8Array> {
  const { classes, model } = record;
  const of = { modelHash: model.sha256, epochs };
  if (record.learner === 'images') {
    if (!('tensors' in learned)) throw new Error('expected the tensors of the image tower');
    return encodeImagePrompts({ ...of, options: record.options, ...learned });
  }
  if ('tensors' in learned) throw new Error('expected prompts of texts');
  return encodePrompts({ ...of, options: record.options, classes, ...learned });
}

function otherRun(path: string, key: string, other: unknown, value: unknown): OtherRun {
  const [before, now] = [shortened(String(other)), shortened(String(value))];
  const field = LEARNERS.map(({ fields }) => fields[key]).find((known) => known !== undefined);
  const what = !field
    ? `another ${key} (${before}, now ${now})`
    : typeof value === 'boolean'
      ? `${switchOf(field, other === true)}, not ${switchOf(field, value)}`
      : `${flagOf(field)} ${before}, not ${now}`;
  return new OtherRun(`--out ${path}: it holds a run with ${what}; choose another folder`);
}

/** `--shuffle` or `--no-shuffle` */
function switchOf(field: OptionField, on: boolean): string {
  return on ? flagOf(field) : flagOf(field).replace('--', '--no-');
}

/** Throws OtherRun unless a run in the folder `path` was of these images. */
async function requireSameImages(
  path: string,
  { images: before }: TrainingRecord,
  { images: now }: TrainingRecord,
  images: readonly RunImage[],
): Promise<void> {
  if (before.trainSha256 === null) {
    throw new OtherRun(
      `--out ${path}: an earlier version made this run without recording which images it was trained on, so it cannot be resumed; choose another folder`,
    );
  }
  for (const split of ['train', 'val'] as const) {
    if (before[`${split}Sha256`] === now[`${split}Sha256`]) continue;
    const kind = split === 'train' ? 'training' : 'validation';
    const listed = await readRunImages(path);
    const which = listed ? ` (${describeOtherImages(listed, images, split)})` : '';
    throw new OtherRun(`--out ${path}: it holds a run with other ${kind} images${which}; choose another folder`);
  }
}

/** The metrics of the last epoch of a run; undefined before the first. Throws InputError if its last line is something else. */
export async function lastEpochOf(run: string): Promise<EpochMetrics | undefined> {
  const path = join(run, 'metrics.jsonl');
  if (!existsSync(path)) return undefined;
  await using source = await openFileSource(path);
  const tail = Math.min(source.size, LONGEST_METRICS_LINE);
  const text = new TextDecoder().decode(await source.read(source.size - tail, tail));
  return parseEpochMetrics(text.trimEnd().split('\n').at(-1) ?? '', path);
}

/** The prompts of a run. Throws InputError if there are none yet. */
export async function readRunPrompts(run: string): Promise<AnyPromptsFile> {
  await using source = await openRunFile(run);
  return await decodePrompts(source);
}

/** Opens a run's prompts.safetensors. Throws InputError if there is none yet. */
export async function openRunFile(run: string): ReturnType<typeof openFileSource> {
  const path = join(run, 'prompts.safetensors');
  if (existsSync(run) && !existsSync(path)) {
    throw new InputError(`${path}: not found; expected the folder of a run with at least one finished epoch`);
  }
  return await openFileSource(path);
}

const step: v.GenericSchema<unknown, StepMetrics> = v.object({
  type: v.literal('step'),
  epoch: whole,
  step: whole,
  loss: finite,
  lr: positive,
});

const epoch: v.GenericSchema<unknown, EpochMetrics> = v.object({
  type: v.literal('epoch'),
  epoch: whole,
  trainLoss: finite,
  trainAccuracy: share,
  // Null without validation images; a loss that is not finite is null in JSON.
  valLoss: v.nullable(finite),
  valAccuracy: v.nullable(share),
});

const either = v.union([step, epoch]);

/** Reads a line. Throws InputError beginning with `where` for anything else. */
export function parseMetrics(line: string, where: string): StepMetrics | EpochMetrics {
  return parseJsonAs(either, line, where, 'the metrics of a step or an epoch');
}

/** Reads the last line of finished epochs. Throws InputError beginning with `where` for anything else. */
export function parseEpochMetrics(line: string, where: string): EpochMetrics {
  return parseJsonAs(epoch, line, where, 'the metrics of an epoch in its last line');
}
