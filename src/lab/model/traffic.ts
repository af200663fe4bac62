/** What accesses to memory cost a GPU: which sectors and lines a subgroup's addresses lie in, and which banks they share. */
import type { Site } from '../lockstep/machine.js';

/** What a GPU's memory is made of, in words of four bytes. */
export interface MemoryShape {
  readonly subgroup: number;
  readonly sector: number;
  readonly line: number;
  readonly banks: number;
  /** Words that loads and stores of buffers move in a cycle. */
  readonly loads: number;
}

/** One access of a subgroup. */
export interface Request {
  /** Sectors that it touches; 0 in workgroup memory. */
  readonly sectors: number;
  /** Different words that it asks for. */
  readonly words: number;
  /** Cycles that the memory is busy with it. */
  readonly cycles: number;
  /** Cycles that it would be busy with so many words at best. */
  readonly least: number;
}

/**
 * A subgroup's access to a buffer: `words` from each of the offsets on. A cycle looks up one line and moves `loads` words.
 */
export function bufferRequest(
  offsets: readonly number[],
  words: number,
  { sector, line, loads }: MemoryShape,
): Request {
  const sectors = new Set<number>();
  const lines = new Set<number>();
  const asked = new Set<number>();
  for (const offset of offsets) {
    for (let word = offset; word < offset + words; word++) {
      asked.add(word);
      sectors.add(Math.floor(word / sector));
      lines.add(Math.floor(word / line));
    }
  }
  return {
    sectors: sectors.size,
    words: asked.size,
    cycles: Math.max(lines.size, Math.ceil((sectors.size * sector) / loads)),
    least: Math.max(1, Math.ceil(asked.size / loads)),
  };
}

/**
 * A subgroup's access to workgroup memory. As many lanes as fill the banks go together, all of them with a word each, a quarter of them with a quad.
 * One word of each bank in a cycle; lanes that ask for the same word get it together. `lanes[i]` is the lane whose offset is `offsets[i]`.
 */
export function bankRequest(
  offsets: readonly number[],
  lanes: readonly number[],
  words: number,
  { banks, subgroup }: MemoryShape,
): Request {
  const together = Math.max(1, Math.floor(subgroup / words));
  let cycles = 0;
  let least = 0;
  const all = new Set<number>();
  for (let first = 0; first < subgroup; first += together) {
    const asked = new Set<number>();
    offsets.forEach((offset, i) => {
      if (lanes[i]! < first || lanes[i]! >= first + together) return;
      for (let word = offset; word < offset + words; word++) asked.add(word);
    });
    if (asked.size === 0) continue;
    const busy = new Map<number, number>();
    let most = 0;
    for (const word of asked) {
      const bank = word % banks;
      const now = (busy.get(bank) ?? 0) + 1;
      busy.set(bank, now);
      most = Math.max(most, now);
      all.add(word);
    }
    cycles += most;
    least += Math.ceil(asked.size / banks);
  }
  return { sectors: 0, words: all.size, cycles, least };
}

/** What one statement's access cost in all. */
export interface SiteTraffic {
  readonly site: Site;
  /** Accesses of subgroups. */
  requests: number;
  sectors: number;
  askedWords: number;
  cycles: number;
  leastCycles: number;
  /** The most cycles that a request took beyond what it would at best, as a multiple: 1 without conflicts. */
  worst: number;
}

/** Adds up the accesses of a workgroup's invocations, statement by statement. */
export class Traffic {
  readonly sites = new Map<string, SiteTraffic>();
  /** Sectors of each buffer that the workgroup touches, each once. */
  readonly #touched = new Map<string, Set<number>>();
  /** Requests that look alike cost alike: offsets relative to the first, and where that lies. */
  readonly #known = new Map<string, Request>();

  constructor(private readonly shape: MemoryShape) {}

  /** Sectors that workgroups touched, in each of them once. */
  distinctSectors = 0;
  /** Accesses of subgroups. */
  requests = 0;

  /** Forgets which sectors were touched: another workgroup begins. */
  nextWorkgroup(): void {
    for (const touched of this.#touched.values()) this.distinctSectors += touched.size;
    this.#touched.clear();
  }

  add(site: Site, offsets: Float64Array, words: number, active: Uint8Array): void {
    const { subgroup, sector } = this.shape;
    const key = `${site.space} ${site.buffer} ${site.write ? 'store' : 'load'} ${site.text}`;
    const sum = this.sites.get(key) ?? {
      ...{ site, requests: 0, sectors: 0, askedWords: 0, cycles: 0, leastCycles: 0, worst: 1 },
    };
    this.sites.set(key, sum);
    const isBuffer = site.space === 'storage';
    let touched = this.#touched.get(site.buffer);
    if (isBuffer && !touched) {
      touched = new Set();
      this.#touched.set(site.buffer, touched);
    }
    for (let from = 0; from < active.length; from += subgroup) {
      const own: number[] = [];
      const lanes: number[] = [];
      for (let lane = from; lane < Math.min(from + subgroup, active.length); lane++) {
        if (active[lane] === 0) continue;
        own.push(offsets[lane]!);
        lanes.push(lane - from);
      }
      if (own.length === 0) continue;
      const { sectors, words: asked, cycles, least } = this.#request(isBuffer, own, lanes, words);
      sum.requests++;
      this.requests++;
      sum.sectors += sectors;
      sum.askedWords += asked;
      sum.cycles += cycles;
      sum.leastCycles += least;
      sum.worst = Math.max(sum.worst, cycles / least);
      if (touched)
        for (const offset of own)
          for (let at = Math.floor(offset / sector); at * sector < offset + words; at++) touched.add(at);
    }
  }

  #request(isBuffer: boolean, offsets: readonly number[], lanes: readonly number[], words: number): Request {
    const { line, banks } = this.shape;
    const period = isBuffer ? line : banks;
    const first = offsets[0]!;
    const start = first - (first % period);
    const isRun = lanes.at(-1)! - lanes[0]! === lanes.length - 1;
    const key = `${isBuffer} ${words} ${isRun ? lanes[0] : lanes.join(',')} ${offsets.map((offset) => offset - start).join(' ')}`;
    const known = this.#known.get(key);
    if (known) return known;
    const request = isBuffer
      ? bufferRequest(offsets, words, this.shape)
      : bankRequest(offsets, lanes, words, this.shape);
    this.#known.set(key, request);
    return request;
  }
}
