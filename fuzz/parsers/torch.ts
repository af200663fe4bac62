/** PyTorch's files: the archive, the pickle in it, and both together. */
import { unzipSync } from 'fflate';
import { bytesSource } from '../../src/clip/checkpoint/byte-source.js';
import { openCheckpoint } from '../../src/clip/checkpoint/open-checkpoint.js';
import { unpickle } from '../../src/clip/checkpoint/pickle.js';
import { torchPickleHost } from '../../src/clip/checkpoint/torch-pickle.js';
import { openZip } from '../../src/clip/checkpoint/zip.js';
import { buildZip, type ZipPart } from '../../test/clip/checkpoint/zip-builder.js';
import { type FuzzedParser, fixture, MiB, maybeDamaged } from '../parser.js';
import type { Random } from '../random.js';
import { pickle as picklesOf } from './pickle-grammar.js';
import { readAll } from './safetensors.js';

const FILES = ['views.pt', 'wrapped_protocol2.pt', 'wrapped_protocol5.pt', 'modules.ts.pt'];

const ENTRY_NAMES = [
  'archive/data.pkl',
  'archive/data/0',
  '../../outside',
  '/etc/passwd',
  'C:\\outside',
  'a/'.repeat(500),
  '',
];

/** An archive of a few entries, some of which say what is not so. */
function archive(random: Random): Uint8Array {
  const parts = ENTRY_NAMES.filter(() => random.oneIn(2)).map((name): ZipPart => {
    const deflate = random.oneIn(2);
    const data = random.oneIn(2) ? random.bytes(random.below(200)) : new Uint8Array(random.below(20_000));
    if (!random.oneIn(5)) return { name, data, deflate };
    const field = random.pick(['size', 'compressedSize', 'headerOffset', 'method', 'flags']);
    const claim = Math.max(0, Math.floor(random.hugeNumber()));
    // What does not fit into a field is the field's affair: the builder keeps the lower bytes.
    return { name, data, deflate, claim: { [field]: Math.min(claim, Number.MAX_SAFE_INTEGER) } };
  });
  const options = { zip64: random.oneIn(2), comment: random.oneIn(3) ? 'PK\x05\x06'.repeat(random.below(20)) : '' };
  return buildZip(parts, random.oneIn(10) ? { ...options, claimedEntries: random.below(70_000) } : options);
}

export const zip: FuzzedParser = {
  name: 'zip',
  what: 'ZIP archives, stored and deflated, 32- and 64-bit',
  make: (random) => maybeDamaged(archive(random), random, archive(random)),
  async read(input) {
    const opened = await openZip(bytesSource('input.zip', input));
    for (const name of opened.names()) await opened.read(name);
  },
  names: 'input.zip',
  // Deflate expands its input up to 1032 times, and what is inflated is held twice while it is collected.
  memory: (length) => 16 * MiB + 3 * 1040 * length,
};

export const pickle: FuzzedParser = {
  name: 'pickle',
  what: 'pickles, protocols 2 to 5',
  make: (random) => maybeDamaged(picklesOf(random), random, picklesOf(random)),
  read: async (input) => void unpickle(input, torchPickleHost('input.pkl'), 'input.pkl'),
  names: 'input.pkl',
  memory: (length) => 16 * MiB + 1024 * length,
};

/** The parts of a real file, with one of them changed, or a pickle from the grammar over four storages. */
function torchParts(random: Random): ZipPart[] {
  if (random.oneIn(2)) {
    const storages = ['0', '1', '2', '3'].map((key) => ({ name: `a/data/${key}`, data: new Uint8Array(256) }));
    return [{ name: 'a/data.pkl', data: maybeDamaged(picklesOf(random), random) }, ...storages];
  }
  const parts = Object.entries(unzipSync(fixture(`checkpoint/${random.pick(FILES)}`)));
  const target = random.oneIn(2) ? parts.findIndex(([name]) => name.endsWith('data.pkl')) : random.below(parts.length);
  return parts.map(([name, data], i) => ({
    name,
    data: i === target && data.length > 0 ? maybeDamaged(data, random) : data,
    deflate: random.oneIn(8),
  }));
}

export const torch: FuzzedParser = {
  name: 'torch',
  what: 'PyTorch files and TorchScript archives, opened by content',
  make(random) {
    const file = buildZip(torchParts(random), { zip64: random.oneIn(4) });
    return random.oneIn(4) ? maybeDamaged(file, random, fixture('checkpoint/before_1_6.pt')) : file;
  },
  read: async (input) => readAll(await openCheckpoint(bytesSource('input.pt', input))),
  names: 'input.pt',
  memory: (length) => 32 * MiB + 3 * 1040 * length,
};
