/**
 * What a study notes of a training of prompts after each epoch: its cost, and the learned numbers. It is on disk before the training's own state
 * is, so that an interrupted training that resumes has a line for every epoch.
 */
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import * as v from 'valibot';
import type { TrainingState } from '../../ptdpc/index.js';
import { finite, fromOne } from '../../ptdpc/parse-json.js';
import type { TrainingWatch } from '../experiment/tune-task.js';
import { makeFolder } from '../make-folder.js';
import { openToAppend, removeOwn } from '../own-files.js';
import type { MeteredBackend } from './metered-backend.js';
import { studyFiles } from './task-files.js';

/** An epoch of a run. `learned`: see `PromptModel.read`, of the epochs that are looked at. */
export interface LoggedEpoch {
  run: string;
  /** From 1. */
  epoch: number;
  seconds: number;
  flops: number;
  peakBytes: number;
  learned: Float32Array | null;
}

const line = v.object({
  epoch: fromOne,
  seconds: finite,
  flops: finite,
  peakBytes: finite,
  learned: v.nullable(v.pipe(v.string(), v.base64())),
});

export class EpochLog implements TrainingWatch {
  readonly #folder: string;

  /** `keeps`: whether the learned numbers of an epoch, from 1 on, are looked at. */
  constructor(
    task: string,
    private readonly meter: MeteredBackend,
    private readonly keeps: (epoch: number) => boolean,
  ) {
    this.#folder = join(studyFiles(task), 'epochs');
  }

  begin(): void {
    this.meter.start();
  }

  async epoch(run: string, { epochs: epoch, prompts }: TrainingState): Promise<void> {
    const counted = this.meter.lap();
    const learned = this.keeps(epoch)
      ? Buffer.from(prompts.buffer, prompts.byteOffset, prompts.byteLength).toString('base64')
      : null;
    await makeFolder(this.#folder);
    await using file = await openToAppend(join(this.#folder, `${run}.jsonl`));
    // A line that was cut short by the end of a process before this one ends here.
    await file.appendFile(`\n${JSON.stringify({ epoch, ...counted, learned })}\n`);
    await file.sync();
    this.meter.resume();
  }

  /** All epochs, of each run in order; of an epoch that was trained twice, the last. */
  async read(): Promise<LoggedEpoch[]> {
    const all: LoggedEpoch[] = [];
    for (const name of (await readdir(this.#folder).catch(() => [])).sort()) {
      const epochs = new Map<number, LoggedEpoch>();
      for await (const text of createInterface(createReadStream(join(this.#folder, name)))) {
        const found = v.safeParse(line, parsed(text));
        if (!found.success) continue;
        const { learned, ...rest } = found.output;
        const run = name.replace(/\.jsonl$/, '');
        epochs.set(rest.epoch, { run, ...rest, learned: learned === null ? null : floats(learned) });
      }
      all.push(...[...epochs.values()].sort((a, b) => a.epoch - b.epoch));
    }
    return all;
  }

  /** Once the task is done, or begins anew. */
  async remove(): Promise<void> {
    await removeOwn(this.#folder);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function floats(base64: string): Float32Array {
  const bytes = new Uint8Array(Buffer.from(base64, 'base64'));
  return new Float32Array(bytes.buffer, 0, Math.floor(bytes.length / 4));
}
