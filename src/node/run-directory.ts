/**
 * A run on disk: `run.json` (what was asked for, and with what), `metrics.jsonl`, `prompts.safetensors` (the latest prompts)
 * and `state.safetensors` (what the next epoch needs). All but the metrics are written to a temporary name and renamed, and the
 * state, written last, says how much of the metrics counts: an interruption at any moment leaves a run that resumes.
 */
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, stat, truncate } from 'node:fs/promises';
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
  type StepMetrics,
  type TrainingState,
  type TuningOptions,
} from '../ptdpc/index.js';
import { writeFileAtomically } from './atomic.js';
import { openFileSource } from './file-source.js';

/** The contents of run.json. */
export interface RunRecord {
  program: string;
  node: string;
  options: TuningOptions;
  classes: readonly ClassName[];
  model: { directory: string; sha256: string };
  data: string;
  images: { train: number; val: number | null };
  device: { kind: string; description: string };
  memory: number;
  strict: boolean;
}

/** What must be equal for a run to go on: everything that the result depends on. */
function identity({ options, classes, model, images, device }: RunRecord) {
  return { ...options, classes: JSON.stringify(classes), model: model.sha256, ...images, device: device.kind };
}

export class RunDirectory {
  readonly #lines: string[] = [];

  private constructor(
    readonly path: string,
    readonly record: RunRecord,
    /** Where an interrupted run stands. */
    readonly state: TrainingState | undefined,
    private metricsBytes: number,
  ) {}

  /**
   * Starts a run, or picks up an interrupted one with the same options. Throws InputError where the folder holds something else,
   * or a run with other options.
   */
  static async open(path: string, record: RunRecord, promptSize: number): Promise<RunDirectory> {
    const recordPath = join(path, 'run.json');
    if (!existsSync(recordPath)) {
      await mkdir(path, { recursive: true }).catch((error: unknown) => {
        throw new InputError(`--out ${path}: cannot be created (${String(Reflect.get(Object(error), 'code'))})`);
      });
      await writeFileAtomically(recordPath, `${JSON.stringify(record, null, 2)}\n`);
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
    const statePath = join(path, 'state.safetensors');
    if (!existsSync(statePath)) return new RunDirectory(path, record, undefined, 0);
    await using source = await openFileSource(statePath);
    const { state, metricsBytes } = await decodeTrainingState(source, promptSize);
    return new RunDirectory(path, record, state, metricsBytes);
  }

  /** Drops metrics of an epoch that did not end. Call once, before the first of `step` and `epoch`. */
  async begin(): Promise<void> {
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
    const lines = (await readFile(join(this.path, 'metrics.jsonl'), 'utf8')).trimEnd().split('\n');
    return JSON.parse(lines.at(-1) ?? '') as EpochMetrics;
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
  const text = await readFile(path, 'utf8').catch(() => {
    throw new InputError(`${path}: not found; expected the folder of a run (ptdpc train --out <run>)`);
  });
  try {
    const record = JSON.parse(text) as RunRecord;
    if (typeof record.model.directory === 'string' && typeof record.model.sha256 === 'string' && record.options)
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
