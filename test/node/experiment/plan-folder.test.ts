/** A plan's folder whose files do not belong together. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PlanFolder } from '../../../src/node/experiment/plan-folder.js';
import { planTasks } from '../../../src/ptdpc/experiment/index.js';
import { expectInputError } from '../../clip/checkpoint/support.js';
import { CLASSES, somePlan, someResult } from '../../ptdpc/experiment/support.js';
import { writeTaskRun } from '../../support/task-run.js';
import { scratchFolder } from '../scratch.js';

const scratch = scratchFolder();

test('a task is done when one of its runs has a result on the test images, which is the result of the task', async () => {
  const plan = somePlan({ experiments: ['table1'], seeds: 1 });
  const folder = new PlanFolder(scratch('plan'));
  await folder.write(plan);
  const [first, second] = planTasks(plan);
  const skipped = [{ split: 'train' as const, path: 'train/0/x.jpg', reason: 'empty' }];
  expect(await folder.isDone(first!.name)).toBe(false);
  await writeTaskRun(folder, first!, CLASSES, { skipped, truncatedRead: [{ split: 'val', path: 'val/0/y.jpg' }] });
  await writeTaskRun(folder, second!);
  expect(await folder.isDone(first!.name)).toBe(true);
  const found = await folder.results(planTasks(plan));
  expect([...found.keys()]).toEqual([first!.name, second!.name]);
  const expected = someResult(first!).result;
  const { result, cases, classes } = found.get(first!.name)!;
  const images = { origin: { kind: 'given' }, train: 7, val: null, seen: 0 };
  expect(classes).toEqual(expected.classes);
  expect(result).toEqual({
    ...expected.result,
    images: { ...images, skipped: { train: 1, val: 0, test: 1 }, truncated: { train: 0, val: 1, test: 0 } },
  });
  expect(found.get(first!.name)!.skipped).toEqual([
    ...skipped,
    { split: 'test', path: 'test/0/bad.jpg', reason: 'not an image' },
  ]);
  expect(cases).toEqual(expected.cases);
});

test('results of other classes, damaged ones, and those of an earlier version are refused', async () => {
  const plan = somePlan({ experiments: ['table1'], seeds: 1 });
  const folder = new PlanFolder(scratch('odd'));
  await folder.write(plan);
  const [first, second] = planTasks(plan);
  await writeTaskRun(folder, first!);
  const path = await writeTaskRun(folder, second!, ['a', 'b', 'c']);
  await expectInputError(
    folder.results(planTasks(plan)),
    /runs\/fi8\.both\.seed0: its classes are not those of .*runs\/fi8\.zero-shot\.seed0; delete one/,
  );
  const result = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  for (const [change, message] of [
    [{ confusion: [[1, 2]] }, /fi8-test\.json: expected the result of an evaluation, found something else/],
    [{ accuracy: 1.5 }, /found 1\.5 at accuracy/],
    [{ classes: ['one'] }, /found something else/],
    [{ classes: [{ toString: 1 }] }, /found Object at classes\.0/],
  ] as const) {
    await writeFile(path, JSON.stringify({ ...result, ...change }));
    await expectInputError(folder.results(planTasks(plan)), message);
  }
  await mkdir(join(folder.path, 'tasks'));
  await expectInputError(folder.read(), /odd: its results are those of an earlier version \(tasks\/\); plan again/);
});

test('two processes that add experiments to a new folder at the same time', async () => {
  const plans = (['table1', 'table2'] as const).map((name) => somePlan({ experiments: [name], seeds: 1 }));
  const folder = new PlanFolder(scratch('shared'));
  await Promise.all(plans.map((plan) => new PlanFolder(folder.path).write(plan)));
  expect([...(await folder.read()).experiments].sort()).toEqual(['table1', 'table2']);
  expect(await readdir(folder.claims)).toEqual([]);
});
