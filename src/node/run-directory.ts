/**
 * A run on disk: `run.json` (what was asked for, and with what), `metrics.jsonl`, `prompts.safetensors` (the latest prompts)
 * and `state.safetensors` (what the next epoch needs). All but the metrics are written to a temporary name and renamed, and the
 * state, written last, says how much of the metrics counts: an interruption at any moment leaves a run that resumes.
 */
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import {
  type ClassName,
  decodePrompts,
  decodeTrainingState,
  type EpochMetrics,
  encodePrompts,
  encodeTrainingState,
  type PromptsFile,
  SETTING_NAMES,
  type SettingName,
  type SplitOrigin,
  type StepMetrics,
  type TrainingState,
  type TuningOptions,
} from '../ptdpc/index.js';
import { requireNothingAt, writeFileAtomically } from './atomic.js';
import { exists, readText } from './checkpoint-files.js';
import { openFileSource } from './file-source.js';
import { errorCode } from './system-error.js';

/** The contents of run.json. */
export interface RunRecord {
  program: string;
  node: string;
  options: TuningOptions;
  classes: readonly ClassName[];
  model: { directory: string; sha256: string };
  data: string;
  dataset: { setting: SettingName; origin: SplitOrigin };
  images: { train: number; val: number | null };
  device: { kind: string; description: string };
  memory: number;
  strict: boolean;
}

/** What must be equal for a run to go on: everything that the result depends on, by the name that a message calls it. */
function identity({ options, classes, model, dataset, images, device }: RunRecord): Record<string, unknown> {
  const { train, val } = images;
  const counts = { 'number of training images': train, 'number of validation images': val };
  const data = { 'data set': dataset.setting, split: JSON.stringify(dataset.origin) };
  return { ...options, ...data, classes: JSON.stringify(classes), model: model.sha256, ...counts, device: device.kind };
}

/** Names that atomic.ts gives to files of a run while it writes them; one that was killed meanwhile leaves them behind. */
const LEFT_BEHIND = /^\..+\.[0-9a-f]{8}\.tmp$/;

export class RunDirectory {
  readonly #lines: string[] = [];

  private constructor(
    readonly path: string,
    readonly record: RunRecord,
    /** Where an interrupted run stands. */
    readonly state: TrainingState | undefined,
    private metricsBytes: number,
  ) {}

  /** Throws InputError where `path` can be no run's folder because there is something else. To be asked before long work. */
  static async requirePlace(path: string): Promise<void> {
    const names = (await readdir(path).catch(() => undefined)) ?? [];
    if (names.includes('run.json')) await readRunRecord(path);
    else if (names.length === 0 || !names.every((name) => LEFT_BEHIND.test(name))) await requireNothingAt(path);
  }

  /**
   * Starts a run, or picks up an interrupted one with the same options. Throws InputError where the folder holds something else,
   * or a run with other options.
   */
  static async open(path: string, record: RunRecord, promptSize: number): Promise<RunDirectory> {
    const statePath = join(path, 'state.safetensors');
    const promptsPath = join(path, 'prompts.safetensors');
    if (!existsSync(statePath) && !existsSync(promptsPath)) {
      // Without a finished epoch there is nothing to go on from, whatever the options were.
      await RunDirectory.requirePlace(path);
      await mkdir(path, { recursive: true }).catch((error: unknown) => {
        throw new InputError(`--out ${path}: cannot be created (${errorCode(error)})`);
      });
      await writeFileAtomically(join(path, 'run.json'), `${JSON.stringify(record, null, 2)}\n`);
      return new RunDirectory(path, record, undefined, 0);
    }
    const before = identity(await readRunRecord(path));
    for (const [key, value] of Object.entries(identity(record))) {
      const found: unknown = Reflect.get(before, key);
      if (found !== value) {
        throw new InputError(
          `--out ${path}: it holds a run with another ${key} (${String(found)}, now ${String(value)}); choose another folder`,
        );
      }
    }
    if (!existsSync(statePath)) return new RunDirectory(path, record, undefined, 0);
    await using source = await openFileSource(statePath);
    const { state, metricsBytes } = await decodeTrainingState(source, promptSize, record.options.optimizer);
    return new RunDirectory(path, record, state, metricsBytes);
  }

  /** Drops what is left of an epoch that did not end. Call once, before the first of `step` and `epoch`. */
  async begin(): Promise<void> {
    const left = (await readdir(this.path)).filter((name) => LEFT_BEHIND.test(name));
    for (const name of left) await rm(join(this.path, name), { force: true });
    const path = join(this.path, 'metrics.jsonl');
    const size = await stat(path).then(
      (status) => status.size,
      () => 0,
    );
    if (size < this.metricsBytes)
      throw new InputError(`${path}: expected at least ${this.metricsBytes} bytes, found ${size}`);
    if (size > this.metricsBytes) await truncate(path, this.metricsBytes);
  }

  /** The metrics of the last finished epoch, if there is one. Call after `begin`. */
  async lastEpoch(): Promise<EpochMetrics | undefined> {
    if (this.metricsBytes === 0) return undefined;
    const path = join(this.path, 'metrics.jsonl');
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
    try {
      const metrics = JSON.parse(lines.at(-1) ?? '') as EpochMetrics;
      if (metrics.type === 'epoch') return metrics;
    } catch {
      // Reported below, like a line of something else.
    }
    throw new InputError(`${path}: expected the metrics of an epoch in line ${lines.length}, found something else`);
  }

  step(metrics: StepMetrics): void {
    this.#lines.push(JSON.stringify(metrics));
  }

  /** Writes the epoch's metrics, its prompts, and last the state. */
  async epoch(metrics: EpochMetrics, state: TrainingState, shape: readonly number[]): Promise<void> {
    const text = `${[...this.#lines.splice(0), JSON.stringify(metrics)].join('\n')}\n`;
    const file = await open(join(this.path, 'metrics.jsonl'), 'a');
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    this.metricsBytes += Buffer.byteLength(text);
    const { options, classes, model } = this.record;
    const { prompts, epochs } = state;
    const prompted = { options, classes, modelHash: model.sha256, epochs, shape, prompts };
    await writeFileAtomically(join(this.path, 'prompts.safetensors'), await encodePrompts(prompted));
    await writeFileAtomically(
      join(this.path, 'state.safetensors'),
      await encodeTrainingState(state, this.metricsBytes),
    );
  }
}

export async function readRunRecord(run: string): Promise<RunRecord> {
  const path = join(run, 'run.json');
  if (!(await exists(path)))
    throw new InputError(`${path}: not found; expected the folder of a run (ptdpc train --out <run>)`);
  const text = await readText(path);
  try {
    const record = JSON.parse(text) as RunRecord;
    // Runs of earlier versions are of folders.
    record.dataset ??= { setting: 'folders', origin: { kind: 'published' } };
    const { options, classes, model, dataset, images, device } = record;
    const named = [model.directory, model.sha256, device.kind].every((value) => typeof value === 'string');
    const knownSetting = SETTING_NAMES.includes(dataset.setting) && typeof dataset.origin?.kind === 'string';
    if (
      named &&
      knownSetting &&
      Array.isArray(classes) &&
      [options, images, dataset].every((value) => typeof value === 'object' && value)
    )
      return record;
  } catch {
    // Reported below, like a record that lacks something.
  }
  throw new InputError(`${path}: expected the record of a run, found something else`);
}

/** The prompts of a run. Throws InputError where there are none yet. */
export async function readRunPrompts(run: string): Promise<PromptsFile> {
  const path = join(run, 'prompts.safetensors');
  if (existsSync(run) && !existsSync(path)) {
    throw new InputError(`${path}: not found; expected the folder of a run with at least one finished epoch`);
  }
  await using source = await openFileSource(path);
  return await decodePrompts(source);
}
