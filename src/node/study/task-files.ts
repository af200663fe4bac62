/**
 * What a study keeps of a task beside its runs, in the folder `study` of the task's folder:
 *
 *     cost.json        what the training cost
 *     on-test.json     what choosing on the test images would have given: never read by anything that trains
 *     epochs/<run>/    of prompts, until the task is done: the cost of each epoch, and the learned numbers after some
 */
import { join } from 'node:path';
import * as v from 'valibot';
import { balancedAccuracy } from '../../ptdpc/experiment/index.js';
import { finite, parseJsonAs, share, whole } from '../../ptdpc/parse-json.js';
import type { StudyCost, StudySeed, StudyTaskResult } from '../../ptdpc/study/index.js';
import { writeFileAtomically } from '../atomic.js';
import { exists, readText } from '../checkpoint-files.js';
import { finishedRun } from '../experiment/task-run.js';
import { makeFolder } from '../make-folder.js';
import { predictionsOf } from '../read-predictions.js';
import { readResult } from '../results.js';

/** Accuracies on the test images of everything that a training could have been stopped at or chosen. */
export interface OnTest {
  /** In the order of the training. */
  candidates: { what: string; accuracy: number }[];
  /** How many there were in all: of a grid, only the best is listed. */
  count: number;
}

/** The folder of these files in a task's folder. */
export const studyFiles = (task: string): string => join(task, 'study');

const cost: v.GenericSchema<unknown, StudyCost> = v.object({
  seconds: finite,
  flops: v.nullable(finite),
  parameters: whole,
  peakBytes: whole,
});

const onTest: v.GenericSchema<unknown, OnTest> = v.object({
  candidates: v.pipe(v.array(v.object({ what: v.string(), accuracy: share })), v.minLength(1)),
  count: whole,
});

/** Writes what a task's training cost. */
export async function writeCost(task: string, value: StudyCost): Promise<void> {
  await write(task, 'cost.json', value);
}

/** Writes what choosing on the test images would have given. */
export async function writeOnTest(task: string, value: OnTest): Promise<void> {
  await write(task, 'on-test.json', value);
}

async function write(task: string, name: string, value: object): Promise<void> {
  await makeFolder(studyFiles(task));
  await writeFileAtomically(join(studyFiles(task), name), `${JSON.stringify(value, null, 2)}\n`);
}

const NOTHING: StudyCost = { seconds: 0, flops: 0, parameters: 0, peakBytes: 0 };

/** What a task found; undefined if it is not done. Throws InputError for a damaged run or result. */
export async function readStudyTask(folder: string, task: string, seed: number): Promise<StudyTaskResult | undefined> {
  const finished = await finishedRun(folder);
  if (!finished) return undefined;
  const { record, path } = finished;
  const found = await readResult(path);
  const { labels, predicted } = await predictionsOf(path, found);
  const [costPath, onTestPath] = ['cost.json', 'on-test.json'].map((name) => join(studyFiles(folder), name));
  const { count, accuracy, macroF1, loss, calibrationError, distribution, imagesSha256, device, classes } = found;
  const images = record.learner === 'zero-shot' ? { train: 0, val: null } : record.images;
  const result: StudySeed = {
    ...{ seed, task, device, count, accuracy, macroF1, loss, calibrationError, distribution, imagesSha256 },
    balancedAccuracy: balancedAccuracy(found.confusionPairs),
    ...{ train: images.train, val: images.val },
    correct: Array.from(labels, (label, i) => (label === predicted[i] ? '1' : '0')).join(''),
    cost: (await exists(costPath!))
      ? parseJsonAs(cost, await readText(costPath!), costPath!, 'the cost of a task')
      : NOTHING,
    onTest: (await exists(onTestPath!)) ? chosenOnTest(await readOnTest(onTestPath!), accuracy) : null,
  };
  const skipped = found.skipped.length + (record.learner === 'zero-shot' ? 0 : record.skipped.length);
  return { classes, result, skipped };
}

async function readOnTest(path: string): Promise<OnTest> {
  return parseJsonAs(onTest, await readText(path), path, 'accuracies on the test images');
}

/** What is best on the test images is at least what was chosen without them, which is a candidate too. */
function chosenOnTest({ candidates, count }: OnTest, accuracy: number): StudySeed['onTest'] {
  return { candidates: count, accuracy: candidates.reduce((most, one) => Math.max(most, one.accuracy), accuracy) };
}
