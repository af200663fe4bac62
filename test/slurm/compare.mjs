/**
 * Whether two folders of a plan hold the same results, and whether the logs of the first one's processes have every task exactly once:
 * node compare.mjs <plan> <plan computed at once> <folder of logs>
 *
 * Prompts and training states are compared byte by byte, all else as text, the plan's own folder and the seconds that were taken left out.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [plan, plain, logs] = process.argv.slice(2);
const list = (folder) => readdirSync(folder, { recursive: true, withFileTypes: true });
const names = (root, below) =>
  list(join(root, below))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();

const text = (root, name) =>
  readFileSync(join(root, name), 'utf8')
    .replaceAll(root, '<plan>')
    .replace(/"seconds": [\d.e-]+/g, '"seconds": 0');

let failures = 0;
const fail = (message) => {
  console.error(message);
  failures++;
};

let files = 0;
for (const below of ['tasks', 'predictions', 'runs', 'table2']) {
  const [ours, theirs] = [names(plan, below), names(plain, below)];
  if (ours.join('\n') !== theirs.join('\n')) fail(`${below}: other files: ${ours.length} and ${theirs.length}`);
  // The page has the time at which it was written.
  for (const name of ours.filter((name) => theirs.includes(name) && !name.endsWith('report.html'))) {
    const same = name.endsWith('.safetensors')
      ? readFileSync(join(plan, name)).equals(readFileSync(join(plain, name)))
      : text(plan, name) === text(plain, name);
    if (!same) fail(`${name}: differs`);
    files++;
  }
}

const log = readdirSync(logs)
  .map((name) => readFileSync(join(logs, name), 'utf8'))
  .join('\n');
const tasks = names(plain, 'tasks').map((name) => name.replace(/^tasks\/|\.json$/g, ''));
for (const task of tasks) {
  const times = log.split('\n').filter((line) => line.startsWith(`${task}: accuracy `)).length;
  if (times !== 1) fail(`${task}: done ${times} times`);
}
console.log(`${tasks.length} tasks, each done once; ${files} files equal those of a run without Slurm`);
process.exit(failures === 0 ? 0 : 1);
