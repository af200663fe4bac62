/**
 * A launch executed in lockstep, with every access to shared memory watched: two invocations that touch the same word without a barrier between, one
 * of them to write, race, whatever a GPU makes of it. It takes no adapter, and sees races that hardware hides.
 */
import { InputError } from '../../errors.js';
import type { Launch } from '../../kernels/webgpu/launch.js';
import type { LockstepDevice } from '../lockstep/device.js';
import type { Site } from '../lockstep/machine.js';

/** Who touched a word last. */
interface Word {
  group: number;
  /** Barriers that the workgroup had passed. */
  phase: number;
  writer: number | undefined;
  reader: number | undefined;
  /** More than one invocation has read it in this phase. */
  shared: boolean;
  /** Workgroups that wrote and read it at all; of the latter, whether several. */
  wroteIn: number | undefined;
  readIn: number | undefined;
}

/** Rounds of loops in a workgroup, far beyond what a small case takes. */
const MOST_ROUNDS = 100_000;

/** What was seen of a launch. */
export interface Watched {
  /** What invocations do to each other, in one line; undefined if nothing. */
  readonly race: string | undefined;
  /** Whether it read or wrote beyond the end of memory, where it read nonsense. */
  readonly outside: boolean;
}

/** Runs all workgroups of a launch. Throws InputError for WGSL outside of what the machine reads. */
export function dispatchWatched(device: LockstepDevice, launch: Launch): Watched {
  const prepared = device.prepare(launch);
  const { machine } = prepared;
  machine.poisonsOutside = true;
  const shared = new Map<string, Map<number, Word>>();
  const stored = new Map<string, Map<number, Word>>();
  for (const { name, access } of launch.shader.interface.bindings)
    if (access === 'read_write') stored.set(name, new Map());
  let group = 0;
  let found: string | undefined;
  const touch = (words: Map<number, Word>, at: number, lane: number, site: Site): void => {
    const phase = machine.counts.barriers;
    let word = words.get(at);
    if (!word) {
      word = { group, phase, wroteIn: undefined, readIn: undefined, ...UNTOUCHED };
      words.set(at, word);
    }
    if (word.group !== group || word.phase !== phase) Object.assign(word, { group, phase, ...UNTOUCHED });
    const name = `${site.buffer}, word ${at}`;
    const { writer, reader } = word;
    if (site.write) {
      const other =
        writer !== undefined && writer !== lane
          ? `both write ${name}`
          : word.shared || (reader !== undefined && reader !== lane)
            ? `one reads and the other writes ${name}`
            : undefined;
      if (other !== undefined) found ??= `two invocations race: ${other}, without a barrier between`;
      if ((word.wroteIn ?? group) !== group || (word.readIn ?? group) !== group)
        found ??= `two workgroups race for ${name}: no barrier orders workgroups`;
      word.writer = lane;
      word.wroteIn = group;
    } else {
      if (writer !== undefined && writer !== lane)
        found ??= `two invocations race: one writes and the other reads ${name}, without a barrier between`;
      if ((word.wroteIn ?? group) !== group) found ??= `two workgroups race for ${name}: no barrier orders workgroups`;
      word.shared ||= reader !== undefined && reader !== lane;
      word.reader = lane;
      word.readIn = group;
    }
  };
  machine.onAccess = (site, offsets, words) => {
    if (found !== undefined || site.text === 'atomic') return;
    let memory = stored.get(site.buffer);
    if (site.space === 'workgroup') {
      memory = shared.get(site.buffer) ?? new Map<number, Word>();
      shared.set(site.buffer, memory);
    }
    if (!memory) return;
    for (let lane = 0; lane < machine.lanes; lane++) {
      if (machine.active[lane] === 0) continue;
      for (let word = 0; word < words; word++) touch(memory, offsets[lane]! + word, lane, site);
    }
  };
  const [width, height] = launch.workgroups;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      shared.clear();
      machine.roundsLeft = MOST_ROUNDS;
      prepared.run(x, y);
      group++;
    }
  }
  const race = machine.divergedBarriers > 0 ? DIVERGED : found;
  return { race, outside: machine.outside > 0 };
}

const DIVERGED =
  'a barrier stands where not all invocations of a workgroup come by: no branch around it may depend on the invocation';

const UNTOUCHED = { writer: undefined, reader: undefined, shared: false };

/** Invocations of a workgroup; undefined if the machine does not read the text. */
export function invocationsOf(device: LockstepDevice, launch: Launch): number | undefined {
  try {
    return device.prepare({ ...launch, buffers: {} }).invocations;
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}
