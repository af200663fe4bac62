/** The files of studies of learners: what a user writes, and what passes between machines. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { StudyFolder } from '../../src/node/study/index.js';
import { planTasks } from '../../src/ptdpc/experiment/index.js';
import {
  collectStudy,
  joinStudies,
  parseStudy,
  rowWork,
  STUDY_LEARNERS,
  STUDY_PLAN_FORMAT,
  type StudyPlan,
  studyRow,
  studyTasks,
} from '../../src/ptdpc/study/index.js';
import { somePlan } from '../../test/ptdpc/experiment/support.js';
import { writeTaskRun } from '../../test/support/task-run.js';
import { type FuzzedParser, MiB, utf8 } from '../parser.js';
import { damagedJson } from './json.js';

const learners = [
  ...STUDY_LEARNERS.map((learner) => ({ learner })),
  {
    learner: 'coop',
    name: 'tuned',
    label: 'Tuned',
    options: { context: 4, 'batch-size': 8 },
    lr: 'auto',
    keep: 'best',
  },
];
const FILE = JSON.stringify({
  ...{ title: 'A study', model: 'clip', shots: [1, 2, 4, 'all'], seeds: 3, learners },
  data: [{ name: 'fi8', path: 'data/fi', dataset: 'fi8', label: 'FI', splitSeed: 0 }],
});

export const study: FuzzedParser = {
  name: 'study',
  what: 'the file of a study of learners, and the trainings of it',
  make: (random) => damagedJson(FILE, random),
  async read(input) {
    const found = parseStudy(new TextDecoder().decode(input), 'fuzzed-study');
    for (const row of found.rows) for (const shots of found.shots) rowWork(row, shots, 0);
  },
  names: 'fuzzed-study',
  memory: () => 64 * MiB,
};

const PLAN: StudyPlan = {
  program: '1.0.0',
  configuration: {
    ...{ format: STUDY_PLAN_FORMAT, demonstration: false, strict: false, truncated: 'skip', testSelection: true },
    model: { directory: '/clip', sha256: 'a'.repeat(64) },
  },
  title: 'A study',
  datasets: [
    ...[{ name: 'fi8', label: 'FI', dataset: 'fi8', root: '/data/fi', folds: null, splitSeed: null, sameTest: true }],
  ],
  ...{ shots: [1, null], seeds: 2, rows: learners.slice(0, 4).map(({ learner }) => studyRow({ learner })) },
};

let folder: StudyFolder;

export const studyPlan: FuzzedParser = {
  name: 'study-plan',
  what: 'study.json of a folder, and the names of its tasks',
  prepare: async (scratch) => {
    folder = new StudyFolder(join(scratch, 'fuzzed-study'));
    await folder.write(PLAN);
  },
  make: (random) => damagedJson(JSON.stringify(PLAN), random),
  async read(input) {
    await writeFile(join(folder.path, 'study.json'), input);
    const found = await folder.read();
    joinStudies(found, found, 'fuzzed-study');
    const runs = resolve(folder.path, 'runs') + sep;
    for (const { name } of studyTasks(found))
      if (!resolve(folder.runs(name)).startsWith(runs)) throw new Error(`a task outside the folder: ${name}`);
  },
  names: 'fuzzed-study',
  // A hundred thousand tasks.
  memory: () => 256 * MiB,
};

const TASK = 'fi8.coop.shots1.seed0';
const ON_TEST = { candidates: [{ what: 'epoch 1', accuracy: 0.5 }], count: 3 };
const COST = { seconds: 1.5, flops: 1e9, parameters: 512, peakBytes: 4096 };
let notes: string;

export const studyTask: FuzzedParser = {
  name: 'study-task',
  what: 'what the training of a task cost, and what choosing on the test images would have given',
  prepare: async (scratch) => {
    folder = new StudyFolder(join(scratch, 'fuzzed-study'));
    const [made] = planTasks(somePlan({ seeds: 1 }));
    await writeTaskRun(folder, { ...made!, name: TASK });
    notes = join(folder.runs(TASK), 'study');
    await mkdir(notes, { recursive: true });
  },
  // The first byte says which of the two files it is.
  make: (random) => {
    const isCost = random.oneIn(2);
    return Buffer.concat([utf8(isCost ? 'c' : 't'), damagedJson(JSON.stringify(isCost ? COST : ON_TEST), random)]);
  },
  async read(input) {
    const isCost = input[0] === utf8('c')[0];
    await writeFile(join(notes, 'cost.json'), isCost ? input.subarray(1) : JSON.stringify(COST));
    await writeFile(join(notes, 'on-test.json'), isCost ? JSON.stringify(ON_TEST) : input.subarray(1));
    collectStudy(PLAN, await folder.results(studyTasks(PLAN)));
  },
  names: 'fuzzed-study',
  memory: (length) => 64 * MiB + 64 * length,
};
