/** A plan's folder whose files do not belong together. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PlanFolder } from '../../../src/node/experiment/plan-folder.js';
import { planTasks } from '../../../src/ptdpc/experiment/index.js';
import { expectInputError } from '../../clip/checkpoint/support.js';
import { somePlan, someResult } from '../../ptdpc/experiment/support.js';
import { scratchFolder } from '../scratch.js';

const scratch = scratchFolder();

test('results are read back; one in the place of another, or of other classes, is refused', async () => {
  const plan = somePlan({ experiments: ['table1'], seeds: 1 });
  const folder = new PlanFolder(scratch('plan'));
  await folder.write(plan);
  const [first, second] = planTasks(plan);
  for (const task of [first!, second!]) await folder.finish(someResult(task).result, '');
  const found = await folder.results(planTasks(plan));
  expect([...found.keys()]).toEqual([first!.name, second!.name]);
  expect(found.get(first!.name)).toEqual(someResult(first!).result);

  const file = (name: string) => join(folder.path, 'tasks', `${name}.json`);
  await writeFile(file(first!.name), await readFile(file(second!.name)));
  await expectInputError(
    folder.results(planTasks(plan)),
    /fi8\.zero-shot\.seed0\.json: expected the result of fi8\.zero-shot\.seed0, found that of "fi8\.both\.seed0"/,
  );
  const other = { ...someResult(first!).result, classes: ['a', 'b', 'c'] };
  await writeFile(file(first!.name), JSON.stringify(other));
  await expectInputError(
    folder.results(planTasks(plan)),
    /fi8\.both\.seed0\.json: its classes are not those of .*fi8\.zero-shot\.seed0\.json; delete one/,
  );
});

test('two processes that add experiments to a new folder at the same time', async () => {
  const plans = (['table1', 'table2'] as const).map((name) => somePlan({ experiments: [name], seeds: 1 }));
  const folder = new PlanFolder(scratch('shared'));
  await Promise.all(plans.map((plan) => new PlanFolder(folder.path).write(plan)));
  expect([...(await folder.read()).experiments].sort()).toEqual(['table1', 'table2']);
  expect(await readdir(folder.claims)).toEqual([]);
});
