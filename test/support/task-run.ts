/** The run of a task of a plan, made up for tests. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkFolder } from '../../src/node/experiment/work-folder.js';
import { writeResult } from '../../src/node/results.js';
import { type PromptsRecord, recordJson } from '../../src/node/run-record.js';
import type { Task } from '../../src/ptdpc/experiment/index.js';
import { type ClassName, evaluate, type SettingName, tuningOptions } from '../../src/ptdpc/index.js';
import { CLASSES, someResult } from '../ptdpc/experiment/support.js';
import { runRecord } from './run-record.js';

/** Writes the run of a finished task: `someResult`'s predictions. Returns the path of its result. */
export async function writeTaskRun(
  folder: WorkFolder,
  task: Task,
  words: readonly string[] = CLASSES,
  record: Partial<PromptsRecord> = {},
): Promise<string> {
  const run = join(folder.runs(task.name), 'lr-0.1');
  const classes: ClassName[] = words.map((word) => ({ folder: word, word }));
  const { root, dataset: setting } = task.setting;
  const dataset = { root, setting: setting as SettingName, origin: { kind: 'given' } as const };
  const options = tuningOptions('paper', { learningRate: 0.1 });
  await mkdir(run, { recursive: true });
  await writeFile(join(run, 'run.json'), recordJson(runRecord({ classes, data: root, dataset, options, ...record })));
  const { logits, labels } = someResult(task);
  const written = await writeResult(run, {
    ...{ dataset, split: 'test', classes, evaluation: evaluate(logits, labels, classes.length) },
    images: {
      labels,
      paths: Array.from(labels, (label, i) => join(root, `test/${label}/${i}.jpg`)),
      hashes: Array.from(labels, (_, i) => `${i}`.padStart(64, '0')),
      skipped: [{ path: join(root, 'test/0/bad.jpg'), reason: `${join(root, 'test/0/bad.jpg')}: not an image` }],
      truncated: [],
    },
    ...{ epochs: 10, seconds: 1, device: 'test' },
  });
  return written.path;
}
