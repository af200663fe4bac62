/** Plans and task results made up for tests. */
import {
  EXPERIMENTS,
  PLAN_FORMAT,
  type Plan,
  type PlanEncoder,
  planTasks,
  type SeedImages,
  type Task,
  type TaskResult,
} from '../../../src/ptdpc/experiment/index.js';
import { evaluate, PRESETS } from '../../../src/ptdpc/index.js';
import { randomReals } from '../../support/random.js';

/** A plan of all experiments on FI in two settings, `seeds` seeds. */
export function somePlan(change: Partial<Plan> = {}, configuration: Partial<Plan['configuration']> = {}): Plan {
  return {
    program: '0.1.0',
    configuration: {
      format: PLAN_FORMAT,
      demonstration: false,
      preset: 'paper',
      epochs: null,
      batchSize: null,
      initNoise: 0,
      learningRates: [0.1, 0.01],
      model: { directory: '/models/clip', sha256: 'abc' },
      strict: false,
      truncated: 'skip',
      preprocess: 'own',
      ...configuration,
    },
    encoders: [],
    experiments: EXPERIMENTS,
    settings: [
      { name: 'fi8', label: 'FI 8', dataset: 'fi8', root: '/data/fi', folds: null },
      { name: 'fi2', label: 'FI 2', dataset: 'fi2', root: '/data/fi', folds: null },
    ],
    seeds: 2,
    ...change,
  };
}

const ARCHITECTURES = { alexnet: 'AlexNet', resnet50: 'ResNet50', deit: 'DeiT', beit: 'BEiT' };

/** An encoder of a plan by its name. */
export function someEncoder(name: string, change: Partial<PlanEncoder> = {}): PlanEncoder {
  const architecture = String(Reflect.get(ARCHITECTURES, name));
  return { name, architecture, path: `/models/${name}.pth`, sha256: 'abc', random: false, ...change };
}

export const CLASSES = ['negative', 'positive', 'neither_of|them'] as const;

/** The result of a task with random predictions for 20 images of `CLASSES`. */
export function someResult(
  task: Task,
  images: Partial<SeedImages> = {},
  skipped: TaskResult['skipped'] = [],
): { result: TaskResult; logits: Float32Array; labels: Int32Array } {
  const hash = Array.from(task.name).reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) % 2 ** 31;
  const logits = randomReals(hash)(20 * CLASSES.length);
  const labels = Int32Array.from({ length: 20 }, (_, i) => i % CLASSES.length);
  const evaluation = evaluate(logits, labels, CLASSES.length);
  const { seed, name } = task;
  const { count, accuracy, loss, macroF1, calibrationError, calibration, perClass, confusionPairs } = evaluation;
  const caseOf = (kind: 'right' | 'wrong') => {
    const sureness = (i: number) => evaluation.probabilities[i * CLASSES.length + evaluation.predicted[i]!]!;
    const places = Array.from(labels, (_, i) => i).filter(
      (i) => (labels[i] === evaluation.predicted[i]) === (kind === 'right'),
    );
    const [i] = places.sort((a, b) => sureness(b) - sureness(a) || a - b);
    if (i === undefined) return null;
    const probabilities = Array.from(evaluation.probabilities.subarray(i * CLASSES.length, (i + 1) * CLASSES.length));
    const [actual, predicted] = [labels[i]!, evaluation.predicted[i]!];
    const words = { actual: CLASSES[actual]!, predicted: CLASSES[predicted]! };
    const path = `test/${actual}/${i}.jpg`;
    const place = { setting: task.setting.name, seed, kind, path };
    return { ...place, ...words, probability: probabilities[predicted]!, probabilities };
  };
  const result: TaskResult = {
    task: name,
    truncated: [],
    setting: task.setting.name,
    classes: [...CLASSES],
    result: {
      ...{ seed, task: name, learningRate: PRESETS.paper.learningRate, choice: [] },
      ...{ count, accuracy, loss, macroF1, calibrationError, calibration, perClassAccuracy: perClass, confusionPairs },
      images: {
        origin: { kind: 'given' },
        train: 80,
        val: 10,
        skipped: { train: 0, val: 0, test: 0 },
        truncated: { train: 0, val: 0, test: 0 },
        seen: 0,
        ...images,
      },
      device: 'test',
      seconds: 1,
    },
    cases: { right: caseOf('right'), wrong: caseOf('wrong') },
    skipped,
  };
  return { result, logits, labels };
}

/** Results of all tasks of a plan but those whose name matches `without`. */
export function someResults(plan: Plan, without = /^$/): Map<string, TaskResult> {
  const tasks = planTasks(plan).filter(({ name }) => !without.test(name));
  return new Map(tasks.map((task) => [task.name, someResult(task).result]));
}
