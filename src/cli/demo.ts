/** `ptdpc demo`: the whole job on pictures and a small CLIP of our own, offline. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Split } from '../demo/index.js';
import { counted } from '../errors.js';
import type { DeviceChoice } from '../kernels/device-choice.js';
import { type Mode, PRESETS, type Preset, TUNING_FIELDS } from '../ptdpc/options.js';
import { openReportedDevice } from './device.js';
import { addExamples, deviceOption, fieldOption, jsonOption, parseInteger, parseSeed } from './options.js';
import { commandLine, print, printJson, say } from './output.js';
import { progress, TERMINAL } from './progress.js';
import { percent } from './tables.js';
import { train } from './train.js';

interface DemoOptions {
  out?: string;
  seed: number;
  perClass: number;
  preset: Preset;
  mode: Mode;
  epochs?: number;
  initNoise?: number;
  device: DeviceChoice;
  json?: boolean;
}

/** Scenes of each emotion in the held-out split. */
const TEST_PER_CLASS = 40;
const MEMORY = 2 ** 28;
/** Small batches suit so few scenes; the rest is the preset's. */
const BATCH_SIZE = 16;

export function configure(command: Command): void {
  command
    .description(
      'Run the whole pipeline offline: draw scenes of eight emotions, classify them zero-shot with a small CLIP, train prompts by PT-DPC, and ' +
        "classify again. Scenes and model come with this program; they are not the paper's, and neither are the accuracies.",
    )
    .option('--out <dir>', 'keep images and run here (default: a new temporary folder)')
    .option('--seed <n>', 'seed of the scenes and of the training', parseSeed, 0)
    .option('--per-class <n>', 'training scenes per emotion', parseInteger(1, 10_000), 25)
    .addOption(fieldOption(TUNING_FIELDS.preset).default('official'))
    .addOption(fieldOption(TUNING_FIELDS.mode).default('both'))
    .addOption(fieldOption(TUNING_FIELDS.epochs, "the preset's"))
    .addOption(fieldOption(TUNING_FIELDS.initNoise, 0))
    .addOption(deviceOption())
    .addOption(jsonOption())
    .action(demo);
  addExamples(command, [
    ['ptdpc demo', 'the demonstration'],
    ['ptdpc demo --out demo --seed 1 --device webgpu', 'other scenes, on WebGPU, kept in demo/'],
  ]);
}

async function demo(options: DemoOptions): Promise<void> {
  const { EMOTIONS } = await import('../demo/index.js');
  const { requireNothingAt } = await import('../node/atomic.js');
  const { demoModelDirectory } = await import('../node/demo-scenes.js');
  const { evaluateRun, evaluateZeroShot } = await import('../node/evaluate-run.js');
  const { evaluationJson } = await import('../node/results.js');
  const { printEvaluation } = await import('./evaluation.js');
  const { seed, device, preset, mode } = options;
  if (options.out) await requireNothingAt(options.out);
  const out = options.out ?? (await mkdtemp(join(tmpdir(), 'ptdpc-demo-')));
  const data = join(out, 'data');
  const run = join(out, 'run');
  const model = demoModelDirectory();
  const { template, epochs } = PRESETS[preset];
  say(
    "A demonstration on drawn scenes, with a small CLIP trained on such scenes: not the paper's model, nor its data.",
  );

  const train_ = await drawScenes(data, 'train', options.perClass, seed);
  const test = await drawScenes(data, 'test', TEST_PER_CLASS, seed);
  say(`${counted(train_, 'scene')} for training, ${test} held out, of ${EMOTIONS.length} emotions, in ${data}`);

  const cache = join(out, 'cache');
  const evaluation = {
    split: 'test',
    openDevice: () => openReportedDevice(device),
    cacheDirectory: cache,
    memory: MEMORY,
    events: TERMINAL,
  } as const;
  const before = await evaluateZeroShot({ ...evaluation, model, data, templates: [template] });
  if (!options.json) print(`zero-shot, "${template} ...": accuracy ${percent(before.evaluation.accuracy)}`);
  await train({
    ...{ device, cache, memory: MEMORY },
    preset,
    mode,
    model,
    data,
    out: run,
    seed,
    epochs: options.epochs ?? epochs,
    initNoise: options.initNoise ?? 0,
    batchSize: BATCH_SIZE,
  });
  const after = await evaluateRun({ ...evaluation, run, data });

  if (options.json) {
    const tuned = evaluationJson(after.classes, after.evaluation);
    printJson({ seed, folder: out, zeroShot: evaluationJson(before.classes, before.evaluation), tuned });
    return;
  }
  printEvaluation('trained, held-out scenes', after.classes, after.evaluation);
  print('');
  print(
    `accuracy ${percent(before.evaluation.accuracy)} before training, ${percent(after.evaluation.accuracy)} after.`,
  );
  say(`\nEverything is in ${out}. Next:\n  ${commandLine(['predict', '--run', run, join(data, 'test', 'awe')])}`);
}

async function drawScenes(data: string, split: Split, perClass: number, seed: number): Promise<number> {
  const { EMOTIONS } = await import('../demo/index.js');
  const { writeScenes } = await import('../node/demo-scenes.js');
  using bar = progress(perClass * EMOTIONS.length, `drawing ${split}`, 'scenes');
  return await writeScenes(data, split, perClass, seed, () => bar.tick(1));
}
