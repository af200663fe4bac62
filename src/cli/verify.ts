/** `ptdpc verify`: is this model sound, and the one that it should be? */
import { type Command, Option } from 'commander';
import type { Check } from '../clip/verify/index.js';
import { counted } from '../errors.js';
import type { DeviceChoice } from '../kernels/device-choice.js';
import type { OpenedDevice } from '../node/device.js';
import type { Engine } from '../tensor/index.js';
import { openReportedDevice } from './device.js';
import { addExamples, deviceOption, jsonOption } from './options.js';
import { NegativeResult, print, printJson } from './output.js';
import { TERMINAL } from './progress.js';

interface Options {
  device: DeviceChoice;
  expect?: string;
  image?: string;
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .description(
      'Check a model directory: shapes, finite weights, vocabulary, finite features, and, if the weights are those of ' +
        "OpenAI's ViT-B/32 (also converted or in half precision), its activation and outputs against published numbers. Or check " +
        'another encoder: shapes, the hash in its file name, finite weights and features, and, for BEiT-B/16 with --image, ' +
        'published logits. Lists ' +
        'the checks that could not be run, and why. Exits with 1 if a check failed, with 2 if the model cannot be checked at all.',
    )
    .argument('<model>', "model directory, or another encoder's checkpoint")
    .addOption(new Option('--expect <name>', 'fail unless it is this model').choices(['ViT-B/32', 'BEiT-B/16']))
    .option(
      '--image <file>',
      "CLIP.png of the repository openai/CLIP, for the probabilities in that repository's README; for BEiT-B/16, 000000039769.jpg of COCO val2017",
    )
    .addOption(deviceOption())
    .addOption(jsonOption())
    .action(verify);
  addExamples(command, [
    ['ptdpc verify clip-b32', 'everything that can be checked'],
    ['ptdpc verify encoders/beit --image 000000039769.jpg', "BEiT's published logits for a picture of COCO"],
    ['ptdpc verify clip-b32 --expect ViT-B/32 --image CLIP.png', "and it must be OpenAI's"],
  ]);
}

async function verify(model: string, { device, expect, image, json }: Options): Promise<void> {
  const { verifyModel } = await import('../node/verify-model.js');
  const { BEIT_B16, verifyEncoder } = await import('../node/verify-encoder.js');
  using opened = new LateDevice(device);
  const common = { engine: () => opened.engine(), image, events: TERMINAL };
  const encoder = await verifyEncoder(model, { ...common, expectKnown: expect === BEIT_B16.name });
  if (encoder && expect !== undefined && expect !== BEIT_B16.name)
    throw new NegativeResult(`${model}: expected ${expect}, found another encoder than a CLIP`);
  if (!encoder && expect === BEIT_B16.name) throw new NegativeResult(`${model}: expected ${expect}, found a CLIP`);
  const checks = encoder ?? (await verifyModel(model, { ...common, expectKnown: expect !== undefined }));
  const sum = (outcome: Check['outcome']) => checks.filter((check) => check.outcome === outcome).length;
  const summary = { passed: sum('passed'), failed: sum('failed'), notRun: sum('not run') };
  if (json) printJson({ model, ...summary, checks });
  else {
    for (const { name, outcome, detail } of checks) print(`${outcome.padEnd(8)} ${name}: ${detail}`);
  }
  if (summary.failed > 0)
    throw new NegativeResult(`${model}: ${counted(summary.failed, 'check')} of ${checks.length} failed`);
}

/** Opened when the first computation is due, and not for a model that cannot even be read. */
class LateDevice implements Disposable {
  #opened: OpenedDevice | undefined;

  constructor(private readonly choice: DeviceChoice) {}

  async engine(): Promise<Engine> {
    const { Engine } = await import('../tensor/index.js');
    this.#opened ??= await openReportedDevice(this.choice);
    return new Engine(this.#opened.backend);
  }

  [Symbol.dispose](): void {
    this.#opened?.[Symbol.dispose]();
  }
}
