/** The files of a run, each damaged beside the others as they should be. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesSource } from '../../src/clip/checkpoint/byte-source.js';
import { RunDirectory } from '../../src/node/run-directory.js';
import { readRunRecord } from '../../src/node/run-record.js';
import { decodePrompts, decodeTrainingState, encodePrompts, encodeTrainingState } from '../../src/ptdpc/index.js';
import {
  epochOf,
  RUN_IMAGES,
  RUN_SHAPE,
  RUN_SIZE,
  runRecord,
  stateAfter,
  stepOf,
} from '../../test/support/run-record.js';
import { mutate } from '../mutate.js';
import { mutateJson } from '../mutate-json.js';
import { type FuzzedParser, MiB, utf8 } from '../parser.js';
import type { Random } from '../random.js';
import { damagedJson } from './json.js';
import { mutateHeader } from './safetensors.js';

const RECORD = runRecord();
const METRICS = [JSON.stringify(stepOf(0)), JSON.stringify(epochOf(0)), ''].join('\n');

/** A folder with a run in it, whose files a case replaces. */
async function runFolder(scratch: string): Promise<string> {
  const folder = join(scratch, 'fuzzed-run');
  await mkdir(folder);
  await writeFile(join(folder, 'run.json'), JSON.stringify(RECORD));
  await writeFile(join(folder, 'state.safetensors'), await encodeTrainingState(stateAfter(1), METRICS.length));
  await writeFile(join(folder, 'metrics.jsonl'), METRICS);
  return folder;
}

let folder: string;

async function resume(): Promise<void> {
  const run = await RunDirectory.open(folder, RECORD, RUN_IMAGES, RUN_SIZE);
  await run.begin();
  await run.lastEpoch();
}

export const runJson: FuzzedParser = {
  name: 'run-json',
  what: 'run.json, read by eval and predict, and by train to go on',
  prepare: async (scratch) => {
    folder = await runFolder(scratch);
  },
  make: (random) => damagedJson(JSON.stringify(RECORD), random),
  async read(input) {
    await writeFile(join(folder, 'run.json'), input);
    await writeFile(join(folder, 'metrics.jsonl'), METRICS);
    await readRunRecord(folder);
    await resume();
  },
  names: 'fuzzed-run',
  memory: (length) => 16 * MiB + 64 * length,
};

export const metrics: FuzzedParser = {
  name: 'metrics',
  what: 'metrics.jsonl, read by train to go on',
  prepare: runJson.prepare!,
  make(random) {
    const lines = METRICS.split('\n').map((line) => (random.oneIn(2) && line ? mutateJson(line, random) : line));
    const text = utf8(lines.join('\n'));
    return random.oneIn(2) ? mutate(text, random, text) : text;
  },
  async read(input) {
    await writeFile(join(folder, 'metrics.jsonl'), input);
    const counted = input.length === 0 ? 1 : input.length;
    await writeFile(join(folder, 'state.safetensors'), await encodeTrainingState(stateAfter(1), counted));
    await resume();
  },
  names: 'fuzzed-run',
  memory: (length) => 16 * MiB + 64 * length,
};

/** A safetensors file damaged in its header, in the JSON within its metadata, or anywhere. */
function damagedSafetensors(file: Uint8Array, random: Random): Uint8Array {
  return random.oneIn(2) ? mutateHeader(file, random) : mutate(file, random, file);
}

const promptsOf = (options: string, classes: string): Uint8Array => {
  const tensor = { dtype: 'F32', shape: RUN_SHAPE, data_offsets: [0, 4 * RUN_SIZE] };
  const metadata = { format: 'ptdpc-prompts', version: '1', options, classes, model_sha256: 'abc', epochs: '1' };
  const header = utf8(JSON.stringify({ __metadata__: metadata, prompts: tensor }));
  const file = new Uint8Array(8 + header.length + 4 * RUN_SIZE);
  new DataView(file.buffer).setUint32(0, header.length, true);
  file.set(header, 8);
  return file;
};

export const prompts: FuzzedParser = {
  name: 'prompts',
  what: 'prompts.safetensors, read by eval and predict',
  make(random) {
    const [options, classes] = [JSON.stringify(RECORD.options), JSON.stringify(RECORD.classes)];
    switch (random.below(3)) {
      case 0:
        return promptsOf(mutateJson(options, random), classes);
      case 1:
        return promptsOf(options, mutateJson(classes, random));
      default:
        return damagedSafetensors(promptsOf(options, classes), random);
    }
  },
  async read(input) {
    const file = await decodePrompts(bytesSource('prompts.safetensors', input));
    await decodePrompts(bytesSource('written.safetensors', await encodePrompts(file)));
  },
  names: 'prompts.safetensors',
  memory: (length) => 16 * MiB + 64 * length,
};

let goodState: Uint8Array;

export const trainingState: FuzzedParser = {
  name: 'state',
  what: 'state.safetensors, read by train to go on',
  prepare: async () => {
    goodState = await encodeTrainingState(stateAfter(2), 100);
  },
  make: (random) => damagedSafetensors(goodState, random),
  async read(input) {
    const source = bytesSource('state.safetensors', input);
    const decoded = await decodeTrainingState(source, RUN_SIZE, 'sgd');
    if (decoded.state.prompts.length !== RUN_SIZE) throw new Error('prompts of another size');
  },
  names: 'state.safetensors',
  memory: (length) => 16 * MiB + 64 * length,
};
